#include "net/crowd.h"

#include <atomic>

namespace unicni::net {
namespace {

constexpr std::uint64_t kFirstInode = 0xF0000000;  // PROC_DYNAMIC_FIRST
constexpr std::uint64_t kBesides = 330;            // machine's own, before any container
constexpr std::uint64_t kEach = 70;
constexpr std::uint64_t kMany = 32;

std::atomic<bool> crowded = false;

}  // namespace

void note_namespace(std::uint64_t inode) {
  if (inode >= kFirstInode + kBesides + kMany * kEach) crowded = true;
}

bool is_crowded() { return crowded; }

}  // namespace unicni::net

#include "program.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "unicni/error.h"

namespace unicni::apps {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

class AnyChild {
 public:
  AnyChild(bool wanted, Complaints& complaints) {
    if (!wanted) return;
    thread_ = std::thread([this, &complaints] {
      while (!ends_) {
        const pid_t child = ::waitpid(-1, nullptr, 0);
        if (child > 0) complaints.add("child " + std::to_string(child) + " was ours to wait for");
        std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
    });
  }
  AnyChild(const AnyChild&) = delete;
  AnyChild& operator=(const AnyChild&) = delete;
  ~AnyChild() {
    ends_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

std::size_t count_descriptors() {
  const fs::directory_iterator all("/proc/thread-self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

int live_here(const Habits& habits, const std::function<void(Complaints&)>& work) {
  constexpr std::size_t kLarge = std::size_t{2} << 30U;
  Complaints complaints;
  std::vector<char> memory(habits.is_large ? kLarge : 0, 'x');
  {
    const AnyChild any(habits.waits_for_any, complaints);
    complaints.attempt("the whole", [&] { work(complaints); });
  }
  std::fflush(stdout);
  return complaints.none() && (memory.empty() || memory.back() == 'x') ? 0 : 1;
}

}  // namespace

void Complaints::add(const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (count_++ < kMost) std::printf("%s\n", text.c_str());
}

bool Complaints::none() {
  const std::lock_guard lock(mutex_);
  return count_ == 0;
}

bool Complaints::attempt(const std::string& what, const std::function<void()>& work) {
  try {
    work();
    return true;
  } catch (const Error& error) {
    add(what + ": " + error.msg() + "; " + error.details());
  } catch (const std::exception& error) {
    add(what + ": " + error.what());
  }
  return false;
}

void Complaints::log(LogLevel, std::string_view member, std::string_view text) noexcept {
  add(std::string(member).append(" warns: ").append(text));
}

void Complaints::pass_on(std::string_view bytes) noexcept {
  add(std::string("a program says: ").append(bytes));
}

Container::Container(const std::string& name) : path_("/run/netns/" + name) {
  std::ofstream(path_).flush();
  int error = 0;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0 ||
        ::mount("/proc/thread-self/ns/net", path_.c_str(), nullptr, MS_BIND, nullptr) != 0) {
      error = errno;
    }
  }).join();
  if (error != 0) throw std::system_error(error, std::generic_category(), "make " + path_);
}

Container::~Container() {
  ::umount2(path_.c_str(), MNT_DETACH);
  ::unlink(path_.c_str());
}

bool Habits::read(std::string_view argument) {
  const std::pair<std::string_view, bool*> all[] = {{"--ignores-sigchld", &ignores_sigchld},
                                                    {"--waits-for-any", &waits_for_any},
                                                    {"--main-ends", &main_ends},
                                                    {"--is-large", &is_large}};
  for (const auto& [name, value] : all) {
    if (argument == name) return *value = true;
  }
  return false;
}

int live(const Habits& habits, const std::function<void(Complaints&)>& work) {
  if (habits.ignores_sigchld) ::signal(SIGCHLD, SIG_IGN);
  if (!habits.main_ends) return live_here(habits, work);
  std::thread([habits, work] { ::_exit(live_here(habits, work)); }).detach();
  // What pthread_exit(3) ends with, which unwinds before by a library that not all have.
  ::syscall(SYS_exit, 0);
  return 1;  // never reached
}

std::size_t settled_descriptors() {
  constexpr int kMost = 20;
  constexpr milliseconds kPause{400};  // twice what the kernel may need
  std::size_t count = count_descriptors();
  for (int i = 0; i < kMost; ++i) {
    std::this_thread::sleep_for(kPause);
    const std::size_t before = std::exchange(count, count_descriptors());
    if (before == count) break;
  }
  return count;
}

void require_no_children(Complaints& complaints) {
  for (const auto& task : fs::directory_iterator("/proc/thread-self/../../task")) {
    std::ifstream file(task.path() / "children");
    for (std::string child; file >> child;) complaints.add("child " + child + " is left");
  }
}

}  // namespace unicni::apps

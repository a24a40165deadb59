// The list of valid attachments, taken from the parser's events one by one: a list of a million
// entries never becomes a tree.
#include "protocol/gc_list.h"

#include <fmt/core.h>

#include "protocol/document.h"

namespace unicni::protocol {

namespace {

constexpr std::size_t kInList = 1;   // depth at which entries stand
constexpr std::size_t kInEntry = 2;  // and at which their members do

}  // namespace

/// A key that comes twice begins anew: the last one counts.
void GcList::start() {
  *this = GcList(key_);
  given_ = true;
}

void GcList::refuse_list(const char* kind) {
  problem_ = Error(
      Code::decode,
      fmt::format("cannot decode the network configuration: \"{}\" is of type {}", key_, kind),
      "a list is expected");
}

/// Other members of an entry are allowed and mean nothing here.
GcList::Field* GcList::field(std::string_view name) {
  if (same_letters(name, "containerID")) return &container_id_;
  return same_letters(name, "ifname") ? &if_name_ : nullptr;
}

void GcList::key(std::string_view name) {
  if (depth_ != kInEntry) return;
  current_ = field(name);
  if (current_ == nullptr) return;
  const bool is_exact = name == "containerID" || name == "ifname";
  if (current_->is_exact && !is_exact) {
    current_ = nullptr;
    return;
  }
  *current_ = {{}, false, is_exact};
}

void GcList::text(std::string_view value) {
  if (depth_ != kInEntry) return other("string");
  if (current_ == nullptr) return;
  current_->value = value;
  current_->is_text = true;
  current_ = nullptr;
}

void GcList::other(const char* kind, bool is_null) {
  if (depth_ == 0) {
    ended_ = true;
    if (!is_null) refuse_list(kind);
  } else if (depth_ == kInList) {
    end_entry();
  }
  current_ = nullptr;
}

void GcList::open(bool is_array) {
  if (depth_ == 0 && !is_array) refuse_list("object");
  if (depth_ == kInList) {
    container_id_ = {};
    if_name_ = {};
  }
  if (depth_ == kInList && is_array) end_entry();
  current_ = nullptr;
  ++depth_;
}

void GcList::close() {
  --depth_;
  if (depth_ == 0) ended_ = true;
  if (depth_ == kInList) end_entry();
}

void GcList::end_entry() {
  if (problem_) return;
  if (container_id_.is_text && if_name_.is_text) {
    builder_.add(container_id_.value, if_name_.value);
  } else {
    problem_ =
        Error(Code::decode,
              fmt::format("cannot decode the network configuration: \"{}\"[{}] is no attachment",
                          key_, builder_.size()),
              "an object with the strings containerID and ifname is expected");
  }
  container_id_ = {};
  if_name_ = {};
}

void GcList::end() { list_ = builder_.take(); }

ValidAttachments GcList::take() const {
  if (problem_) throw Error(*problem_);
  return list_;
}

}  // namespace unicni::protocol

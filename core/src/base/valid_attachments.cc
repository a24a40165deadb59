#include "unicni/valid_attachments.h"

#include <algorithm>
#include <utility>

namespace unicni {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// How many bytes of UTF-8 the character at the front of `text` has; 0: it is none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {  // neither overlong nor a surrogate
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

/// Almost all names are ASCII and are compared as they are, without a copy.
bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// `text` with one U+FFFD for each run of them and of bytes that are no UTF-8: encoders differ in
/// how many they write.
std::string as_told(std::string_view text) {
  std::string told;
  bool in_run = false;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const bool is_lost = length == 0 || text.starts_with(kReplacement);
    if (!is_lost) {
      told += text.substr(0, length);
    } else if (!in_run) {
      told += kReplacement;
    }
    in_run = is_lost;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return told;
}

/// A name as it is compared.
class Told {
 public:
  explicit Told(std::string_view name) : text_(is_ascii(name) ? std::string() : as_told(name)) {
    view_ = text_.empty() ? name : std::string_view(text_);
  }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;
  [[nodiscard]] std::string_view view() const { return view_; }

 private:
  std::string text_;
  std::string_view view_;
};

/// Hashes of containers stand in the upper half of the key, so the interfaces of one container are
/// neighbours in the sorted list.
std::uint64_t half(std::string_view text) {
  return std::hash<std::string_view>()(text) & 0xFFFFFFFFU;
}

struct Key {
  std::uint64_t hash;    // of the container in the upper half, of the interface in the lower
  std::uint32_t offset;  // into the names
};

/// Container and interface of the names at `offset`, each ended by a NUL byte.
std::pair<std::string_view, std::string_view> names_at(const std::string& names,
                                                       std::size_t offset) {
  const std::string_view container(names.data() + offset);
  return {container, std::string_view(container.data() + container.size() + 1)};
}

}  // namespace

struct ValidAttachments::List {
  std::string names;
  std::vector<Key> keys;  // in order
};

struct ValidAttachments::Builder::Parts : ValidAttachments::List {};

ValidAttachments::Builder::Builder() : parts_(std::make_unique<Parts>()) {}
ValidAttachments::Builder::~Builder() = default;
ValidAttachments::Builder::Builder(Builder&&) noexcept = default;
ValidAttachments::Builder& ValidAttachments::Builder::operator=(Builder&&) noexcept = default;

void ValidAttachments::Builder::add(std::string_view container_id, std::string_view if_name) {
  ++size_;
  // Such a name can be no file and no link here: nothing on this host is protected by it.
  if (container_id.find('\0') != std::string_view::npos ||
      if_name.find('\0') != std::string_view::npos) {
    return;
  }
  const Told container(container_id);
  const Told interface(if_name);
  parts_->keys.push_back({half(container.view()) << 32U | half(interface.view()),
                          static_cast<std::uint32_t>(parts_->names.size())});
  for (const std::string_view name : {container.view(), interface.view()}) {
    parts_->names += name;
    parts_->names += '\0';
  }
}

ValidAttachments ValidAttachments::Builder::take() {
  const std::shared_ptr<Parts> list = std::exchange(parts_, std::make_unique<Parts>());
  size_ = 0;
  std::sort(list->keys.begin(), list->keys.end(), [](const Key& a, const Key& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.offset < b.offset;
  });
  return ValidAttachments(list);
}

ValidAttachments::ValidAttachments(std::shared_ptr<const List> list) : list_(std::move(list)) {}
ValidAttachments::ValidAttachments() : list_(std::make_shared<const List>()) {}
ValidAttachments::~ValidAttachments() = default;
ValidAttachments::ValidAttachments(const ValidAttachments&) = default;
ValidAttachments& ValidAttachments::operator=(const ValidAttachments&) = default;

ValidAttachments::ValidAttachments(const std::vector<Attachment>& attachments) {
  Builder builder;
  for (const Attachment& each : attachments) builder.add(each.container_id, each.if_name);
  *this = builder.take();
}

ValidAttachments::ValidAttachments(std::initializer_list<Attachment> attachments)
    : ValidAttachments(std::vector<Attachment>(attachments)) {}

std::size_t ValidAttachments::size() const { return list_->keys.size(); }

/// Equal hashes are compared by the names themselves: keeping an attachment by chance is harmless,
/// removing one is not.
bool ValidAttachments::contains(const Attachment& attachment) const {
  const Told container(attachment.container_id);
  const Told interface(attachment.if_name);
  const std::uint64_t hash = half(container.view()) << 32U | half(interface.view());
  const auto& keys = list_->keys;
  auto key = std::lower_bound(keys.begin(), keys.end(), hash,
                              [](const Key& each, std::uint64_t of) { return each.hash < of; });
  for (; key != keys.end() && key->hash == hash; ++key) {
    if (names_at(list_->names, key->offset) == std::pair(container.view(), interface.view()))
      return true;
  }
  return false;
}

bool ValidAttachments::contains_container(std::string_view container_id) const {
  const Told container(container_id);
  const std::uint64_t hash = half(container.view());
  const auto& keys = list_->keys;
  auto key = std::lower_bound(keys.begin(), keys.end(), hash << 32U,
                              [](const Key& each, std::uint64_t of) { return each.hash < of; });
  for (; key != keys.end() && key->hash >> 32U == hash; ++key) {
    if (names_at(list_->names, key->offset).first == container.view()) return true;
  }
  return false;
}

void ValidAttachments::for_each(const Visit& visit) const {
  for (std::size_t at = 0; at < list_->names.size();) {
    const auto [container, interface] = names_at(list_->names, at);
    visit(container, interface);
    at += container.size() + interface.size() + 2;
  }
}

/// What remains are texts that don't tell their names (hashed ones). For these each listed
/// attachment's text is made and struck off.
std::set<std::string> ValidAttachments::invalid_among(std::set<std::string> owners,
                                                      const Print& print) const {
  // One whose text says its names needs no look at the whole list.
  std::erase_if(owners, [this](const std::string& owner) {
    const std::size_t interface = owner.rfind('/');
    if (interface == std::string::npos || interface == 0) return false;
    const std::size_t container = owner.rfind('/', interface - 1);
    if (container == std::string::npos) return false;
    return contains(
        {owner.substr(container + 1, interface - container - 1), owner.substr(interface + 1)});
  });
  if (owners.empty()) return owners;
  for_each([&](std::string_view container_id, std::string_view if_name) {
    owners.erase(print({std::string(container_id), std::string(if_name)}));
  });
  return owners;
}

}  // namespace unicni

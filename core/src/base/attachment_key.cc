#include "unicni/attachment_key.h"

#include "base/owner.h"

namespace unicni {

std::string AttachmentKey::alias() const { return owner_alias(network, owner()); }

std::string AttachmentKey::comment() const { return owner_comment(owner()); }

bool AttachmentKey::may_be_cut_alias(const std::string& alias) const {
  return is_cut_alias(alias, owner());
}

std::optional<AttachmentKey> AttachmentKey::parse(std::string_view owner) {
  if (is_shortened_owner(owner)) return std::nullopt;
  const std::size_t first = owner.find('/');
  const std::size_t last = owner.rfind('/');
  // Others' comments are no owners: names of networks and containers have no '~'.
  if (first == owner.npos || first == last || owner.find('~') < last) return std::nullopt;
  return AttachmentKey{std::string(owner.substr(0, first)),
                       std::string(owner.substr(first + 1, last - first - 1)),
                       std::string(owner.substr(last + 1))};
}

}  // namespace unicni

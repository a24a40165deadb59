// Undo record "firewalld-source".
#pragma once

#include <optional>
#include <string>

#include "unicni/netfilter/firewalld.h"
#include "unicni/undo.h"

namespace unicni {

/// An address that becomes a source of a zone of firewalld. Undone by taking it out, unless a
/// living attachment of another owner has the same record.
Undo undo_firewalld_source(const net::FirewalldSource& source, const std::string& owner);
/// Its Undo::type.
inline constexpr const char* kFirewalldSource = "firewalld-source";
/// The source that such a record is about; nullopt: it is about something else, or damaged.
std::optional<net::FirewalldSource> find_firewalld_source(const Undo& record);

}  // namespace unicni

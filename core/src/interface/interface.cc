// Key functions of the interface classes: their vtables live here, in the executable, and not in
// every module.
#include "unicni/error.h"
#include "unicni/host.h"
#include "unicni/module.h"
#include "unicni/undo.h"

namespace unicni {

UndoLog::~UndoLog() = default;
Ipam::~Ipam() = default;
Delegate::~Delegate() = default;
Host::~Host() = default;
bool Host::is_gone(const std::string&) { return false; }
bool Host::is_anothers(const Attachment&, const IpAddress&) { return false; }
bool Host::is_container_gone(const std::string&, const std::string&) { return false; }
std::optional<sys::Lock> Host::hold_host_ports() { return std::nullopt; }
std::vector<Undo> Host::remembered(std::string_view, Steps, std::size_t) { return {}; }
bool Host::has_iptables_ports_of_sibling(const std::string&, const Attachment&) { return false; }
bool Host::is_file_of_sibling(const std::string&) { return false; }
Delegate& Host::delegate() { throw Error(Code::internal, "this step has no delegate"); }
Module::~Module() = default;

void Module::validate(const Call&) {}
void Module::gc(const Call&, Host&) {}
void Module::status(const Call&, Host&) {}
void* Module::extension(std::uint32_t) { return nullptr; }

}  // namespace unicni

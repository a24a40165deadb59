#include "netfilter/firewalld/system_bus.h"

#include <dlfcn.h>
#include <fmt/core.h>
#include <systemd/sd-bus.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "unicni/error.h"

namespace unicni::net {
namespace {

/// The name that libsystemd keeps as long as its ABI is the same.
constexpr const char* kLibrary = "libsystemd.so.0";

/// What we need of the library. It stays open until the process ends.
struct Functions {
  decltype(&::sd_bus_open_system) open_system;
  decltype(&::sd_bus_close_unref) close;
  decltype(&::sd_bus_is_ready) is_ready;
  decltype(&::sd_bus_process) process;
  decltype(&::sd_bus_wait) wait;
  decltype(&::sd_bus_set_method_call_timeout) set_timeout;
  decltype(&::sd_bus_call_method) call_method;
  decltype(&::sd_bus_message_unref) unref_message;
  decltype(&::sd_bus_message_read_basic) read_basic;
  decltype(&::sd_bus_message_enter_container) enter_container;
  decltype(&::sd_bus_error_free) free_error;
};

template <class Function>
void look_up(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  if (function == nullptr) {
    throw Error(Code::internal, fmt::format("{} has no {}", kLibrary, name),
                "install libsystemd0 of systemd 241 or later");
  }
}

/// Loaded only when backend firewalld is asked for. Linked, the library and those that it needs
/// would be loaded by every plugin at every start.
std::optional<Functions> find_functions(std::string& why_not) {
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    why_not = fmt::format("D-Bus needs {}: {}", kLibrary, ::dlerror());
    return std::nullopt;
  }
  Functions use{};
  look_up(library, "sd_bus_open_system", use.open_system);
  look_up(library, "sd_bus_close_unref", use.close);
  look_up(library, "sd_bus_is_ready", use.is_ready);
  look_up(library, "sd_bus_process", use.process);
  look_up(library, "sd_bus_wait", use.wait);
  look_up(library, "sd_bus_set_method_call_timeout", use.set_timeout);
  look_up(library, "sd_bus_call_method", use.call_method);
  look_up(library, "sd_bus_message_unref", use.unref_message);
  look_up(library, "sd_bus_message_read_basic", use.read_basic);
  look_up(library, "sd_bus_message_enter_container", use.enter_container);
  look_up(library, "sd_bus_error_free", use.free_error);
  return use;
}

/// A caller may try again: the bus was there and only slow.
Error too_late(const std::string& what) {
  return {Code::try_again, what + ": no answer within the time that is left"};
}

/// For sd-bus, which takes 0 for its own default. Throws Error when no time is left.
std::uint64_t microseconds_until(Deadline deadline, const std::string& what) {
  const auto left = std::chrono::duration_cast<std::chrono::microseconds>(
      deadline - std::chrono::steady_clock::now());
  if (left.count() <= 0) throw too_late(what);
  return static_cast<std::uint64_t>(left.count());
}

/// Nobody listens, or there is no socket at all.
bool is_absence(int error) {
  return error == ENOENT || error == ENOTDIR || error == ECONNREFUSED || error == ECONNRESET ||
         error == EPIPE || error == ENOTCONN;
}

}  // namespace

struct SystemBus::Connection {
  Functions use{};
  sd_bus* bus = nullptr;

  explicit Connection(const Functions& functions) : use(functions) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    // Not flush_close: it would wait for a silent bus, and nothing is unsent after a call.
    if (bus != nullptr) use.close(bus);
  }

  /// Zero or a negative errno. sd-bus itself would wait 90 s for a bus that accepts and is silent.
  int open(Deadline deadline) {
    int result = use.open_system(&bus);
    while (result >= 0) {
      result = use.is_ready(bus);
      if (result != 0) break;
      result = use.process(bus, nullptr);
      if (result == 0) result = use.wait(bus, microseconds_until(deadline, "the system's D-Bus"));
    }
    return std::min(result, 0);
  }
};

SystemBus::SystemBus(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
SystemBus::SystemBus(SystemBus&&) noexcept = default;
SystemBus& SystemBus::operator=(SystemBus&&) noexcept = default;
SystemBus::~SystemBus() = default;

/// A host without D-Bus is no error here; whether it is one, the caller knows.
std::optional<SystemBus> SystemBus::find(Deadline deadline, std::string& why_not) {
  const auto functions = find_functions(why_not);
  if (!functions) return std::nullopt;
  auto connection = std::make_unique<Connection>(*functions);
  const int error = -connection->open(deadline);
  if (is_absence(error)) {
    why_not = "there is no system D-Bus at DBUS_SYSTEM_BUS_ADDRESS, or else its usual socket";
    return std::nullopt;
  }
  if (error != 0) {
    throw system_error(error,
                       "connect to the system's D-Bus (DBUS_SYSTEM_BUS_ADDRESS, else its "
                       "usual socket)");
  }
  return SystemBus(std::move(connection));
}

/// An error that firewalld itself answers is returned by name, as some mean success
/// (ALREADY_ENABLED). What is thrown is a failure of the bus.
BusAnswer SystemBus::call(const BusMethod& method, const std::string& first,
                          const std::optional<std::string>& second, Type answer,
                          Deadline deadline) {
  const Functions& use = connection_->use;
  sd_bus* bus = connection_->bus;
  const std::string what = fmt::format("D-Bus call {}.{}", method.interface, method.name);
  use.set_timeout(bus, microseconds_until(deadline, what));

  sd_bus_error error{};
  const std::unique_ptr<sd_bus_error, decltype(use.free_error)> error_owner(&error, use.free_error);
  sd_bus_message* message = nullptr;
  int result = use.call_method(bus, method.destination.c_str(), method.object, method.interface,
                               method.name, &error, &message, second ? "ss" : "s", first.c_str(),
                               second ? second->c_str() : nullptr);
  const std::unique_ptr<sd_bus_message, decltype(use.unref_message)> message_owner(
      message, use.unref_message);

  BusAnswer found;
  if (result < 0) {
    const std::string name = error.name != nullptr ? error.name : "";
    // The bus itself says NoReply when who was called goes away; then it isn't the time that ran
    // out.
    const bool silent = result == -ETIMEDOUT || name == SD_BUS_ERROR_NO_REPLY;
    if (silent && std::chrono::steady_clock::now() >= deadline) throw too_late(what);
    if (name.empty()) throw system_error(-result, what);
    found.error = name;
    found.error_text = error.message != nullptr ? error.message : "";
    return found;
  }
  const char* text = nullptr;
  int flag = 0;
  switch (answer) {
    case Type::flag:
      result = use.read_basic(message, SD_BUS_TYPE_BOOLEAN, &flag);
      found.flag = flag != 0;
      break;
    case Type::text:
      result = use.read_basic(message, SD_BUS_TYPE_STRING, &text);
      if (result > 0) found.texts.emplace_back(text);
      break;
    case Type::texts:
      result = use.enter_container(message, SD_BUS_TYPE_ARRAY, "s");
      while (result > 0) {
        result = use.read_basic(message, SD_BUS_TYPE_STRING, &text);
        if (result > 0) found.texts.emplace_back(text);
      }
      break;
  }
  if (result < 0) throw system_error(-result, what + ": its answer");
  return found;
}

}  // namespace unicni::net

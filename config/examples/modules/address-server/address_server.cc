// address-server: IPAM that has an HTTP server of the company give the addresses.
#include <algorithm>
#include <cstdlib>

#include "unicni/error.h"
#include "unicni/module.h"
#include "unicni/sys/file.h"
#include "unicni/sys/tcp.h"
#include "unicni/undo/lease.h"

namespace address_server {
namespace {

using namespace std::chrono_literals;

struct Options {
  unicni::IpAddress server;
  std::int64_t port = 0;
};
constexpr unicni::Option kRows[] = {
    unicni::option<&Options::server>("server", "IP address of the server").must_be_given(),
    unicni::option<&Options::port>("port", "its TCP port").with_range(1, 65535).with_default("80"),
};
constinit const unicni::OptionTable kOptions = unicni::option_table<Options>(kRows);

/// The server knows an attachment by its whole name, so the same one gets its address again.
std::string path_of(const unicni::AttachmentKey& key) { return "/addresses/" + key.owner(); }

struct Answer {
  int status = 0;  // 200 …
  std::string body;
};
Answer ask(const unicni::Call& call, const std::string& request, std::chrono::milliseconds most) {
  const auto& options = call.options<Options>();
  const auto end = std::min(call.deadline, std::chrono::steady_clock::now() + most);
  const auto text = unicni::sys::ask_tcp(options.server, static_cast<std::uint16_t>(options.port),
                                         request + " HTTP/1.0\r\nContent-Length: 0\r\n\r\n", end);
  // HTTP/1.0 200 OK …
  const auto body = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.") || body == text.npos) {
    throw unicni::Error(unicni::Code::internal,
                        "what answers at " + options.server.str() + " is no HTTP server",
                        "correct \"server\" and \"port\" of the configuration");
  }
  return {std::atoi(text.c_str() + std::min(text.find(' '), body)), text.substr(body + 4)};
}
unicni::Error refusal(const Answer& answer, const std::string& doing) {
  return {unicni::Code::internal,
          "the address server answers " + std::to_string(answer.status) + " to " + doing + ": " +
              answer.body.substr(0, 200),
          "the log of the server should say more"};
}
void release(const unicni::Call& call, const std::string& path) {
  const Answer answer = ask(call, "DELETE " + path, 2s);
  if (answer.status / 100 != 2 && answer.status != 404) throw refusal(answer, "DELETE " + path);
}
/// Releases that the server didn't hear of: a file each, whose content is the path.
std::string due_folder(unicni::Host& host) { return host.folders().cni_state + "/address-server"; }

class AddressServer final : public unicni::Module {
 public:
  /// If ADD fails later, in whatever plugin, core calls del().
  unicni::Result add(const unicni::Call& call, unicni::Host& host) override {
    // What is due would take away the address that comes now.
    unicni::sys::remove_file(unicni::lease_file(due_folder(host), call.key));
    unicni::Result result;
    result.ips = {parse(ask(call, "PUT " + path_of(call.key), 10s))};
    return result;
  }
  /// Never fails because of the server: the runtime would keep the dead container for ever.
  void del(const unicni::Call& call, unicni::Host& host) override {
    try {
      release(call, path_of(call.key));
    } catch (const unicni::Error& error) {
      unicni::sys::ensure_folder(due_folder(host), 0755);
      unicni::sys::write_file_atomically(unicni::lease_file(due_folder(host), call.key),
                                         path_of(call.key), 0644, true);
      host.log(unicni::LogLevel::warning, error.msg() + "; GC will release the address");
    }
  }
  void check(const unicni::Call& call, unicni::Host&) override {
    const auto held = parse(ask(call, "GET " + path_of(call.key), 10s)).address;
    if (!call.prev_result) throw unicni::Error(unicni::Code::invalid_config, "no prevResult");
    for (const auto& ip : call.prev_result->ips) {
      if (ip.address == held) return;
    }
    throw unicni::Error(unicni::Code::internal, "the server holds another address, " + held.str(),
                        "DEL and ADD the attachment again");
  }
  void gc(const unicni::Call& call, unicni::Host& host) override {
    for (const std::string& name : unicni::sys::list_folder(due_folder(host))) {
      const std::string file = due_folder(host) + '/' + name;
      const auto path = unicni::sys::read_file(file);
      if (!path || !path->starts_with("/addresses/" + call.key.network + '/')) continue;
      release(call, *path);
      unicni::sys::remove_file(file);
    }
  }
  void status(const unicni::Call& call, unicni::Host&) override {
    try {
      (void)ask(call, "GET /", 2s);
    } catch (const unicni::Error& error) {
      throw unicni::Error(unicni::Code::not_available, error.msg(), error.details());
    }
  }

 private:
  /// {"address": "10.1.2.3/24", "gateway": "10.1.2.1"}
  static unicni::IpConfig parse(const Answer& answer) {
    if (answer.status != 200) throw refusal(answer, "a question for an address");
    const auto json = unicni::JsonObject::parse(answer.body);
    const auto address =
        unicni::IpNet::parse(json ? json->find_string("address").value_or("") : std::string());
    if (!address) throw refusal(answer, "a question for an address, which has none");
    return {*address, unicni::IpAddress::parse(json->find_string("gateway").value_or("")), {}, {}};
  }
};

}  // namespace
}  // namespace address_server

UNICNI_MODULE(address_server, ipam, address_server::AddressServer,
              .options = &address_server::kOptions);

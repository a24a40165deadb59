// The modules of config/examples/modules, as their makers build and run them.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <sstream>
#include <thread>

#include "sdk/author.h"
#include "support/kernel_state.h"

namespace unicni::test::examples_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(ExampleModules, HaveAtMost150Lines) {
  for (const char* example : {"vxlan", "address-server"}) {
    std::ptrdiff_t lines = 0;
    for (const auto& file : fs::directory_iterator(std::string(UNICNI_EXAMPLES) + '/' + example)) {
      const std::string text = read_file(file.path());
      lines += std::count(text.begin(), text.end(), '\n');
    }
    EXPECT_LE(lines, 150) << example;
    EXPECT_GT(lines, 50) << example;
  }
}

class ExampleVxlan : public ::testing::Test {
 protected:
  ExampleVxlan() {
    build_ = author_.build(UNICNI_EXAMPLES "/vxlan");
    author_.link();
    tool({"ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", "far"});
    tool({"ip", "addr", "add", "192.0.2.1/24", "dev", "up0"});
    tool({"ip", "link", "set", "up0", "up"});
    far_.run({"ip", "addr", "add", "192.0.2.7/24", "dev", "eth0"});
    far_.run({"ip", "link", "set", "eth0", "up"});
    far_.run({"ip", "link", "add", "vx0", "type", "vxlan", "id", "42", "remote", "192.0.2.1", "dev",
              "eth0", "dstport", "4789"});
    far_.run({"ip", "addr", "add", "10.92.0.1/24", "dev", "vx0"});
    far_.run({"ip", "link", "set", "vx0", "up"});
  }
  Attachment job(const std::string& options = R"("vni": 42, "remote": "192.0.2.7")") {
    return author_.attachment(
        container_, R"({"cniVersion": "1.1.0", "name": "net", "type": "vxlan", "master": "up0", )" +
                        options +
                        R"(, "ipam": {"type": "static",
                                      "addresses": [{"address": "10.92.0.2/24"}]}})");
  }

  Sandbox sandbox_;
  Container container_{"c1"};
  Container far_{"far"};
  Author author_;
  std::string build_;
};

TEST_F(ExampleVxlan, CarriesPacketsToTheOtherHostAndLeavesNothing) {
  const Snapshot before = snapshot();
  const Attachment attachment = job();
  const Json result = must_add(attachment);
  EXPECT_TRUE(container_.succeeds({"ping", "-c", "1", "-W", "5", "10.92.0.1"}));
  expect_silent_success(attachment.check(result));
  expect_silent_success(attachment.del(result));
  EXPECT_FALSE(container_.succeeds({"ip", "link", "show", "eth0"}));
  expect_silent_success(attachment.del(result));
  Attachment without = attachment;
  without.netns = "";
  expect_silent_success(without.del());
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(ExampleVxlan, CheckNamesAnotherTunnelUnderItsName) {
  const Json result = must_add(job());
  const Attachment other = job(R"("vni": 43, "remote": "192.0.2.7")");
  EXPECT_THAT(expect_error(other.check(result))["msg"].get<std::string>(),
              HasSubstr("eth0 is not tunnel 43 to 192.0.2.7"));
}

TEST_F(ExampleVxlan, WhatFailsLaterIsTakenBack) {
  const Snapshot before = kernel_snapshot(container_.fd());
  Attachment list = job();
  Json member = list.config;
  member.erase("name");
  member.erase("cniVersion");
  list.config = {{"cniVersion", "1.1.0"},
                 {"name", "net"},
                 {"type", "unicni"},
                 {"plugins", {member, {{"type", "tuning"}, {"sysctl", {{"net.ipv4.no", "1"}}}}}}};
  expect_error(list.add());
  EXPECT_EQ(difference(before, kernel_snapshot(container_.fd())), "");
}

TEST_F(ExampleVxlan, WrongOptionsAreRefusedByTheirNames) {
  for (const auto& [options, word] : {std::pair{R"("vni": 0, "remote": "192.0.2.7")", "vni"},
                                      {R"("vni": 42, "remote": "far")", "remote"},
                                      {R"("vni": 42)", "remote"}}) {
    EXPECT_THAT(expect_error(job(options).add(), 7)["msg"].get<std::string>(), HasSubstr(word));
  }
  must_add(job());
  const Container second("c2");
  Attachment same = job();
  same.netns = second.path();
  same.container_id = "c2";
  const Json error = expect_error(same.add());
  EXPECT_THAT(error["details"].get<std::string>(), HasSubstr("use another \"vni\""));
}

TEST_F(ExampleVxlan, Conforms) {
  const Output output =
      unictl({"conformance", author_.module("vxlan"), "--profile", author_.profile("vxlan")});
  EXPECT_EQ(output.status, 0) << output.str();
}

/// A server of addresses as a company might have one, in a thread of the test's host.
class AddressServer {
 public:
  enum class Mood { serves, is_full, talks_nonsense, is_silent };

  explicit AddressServer(int port = 8080) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_port = htons(static_cast<std::uint16_t>(port));
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    EXPECT_EQ(::listen(socket_, 16), 0);
    thread_ = std::thread([this] { serve(); });
  }
  AddressServer(const AddressServer&) = delete;
  AddressServer& operator=(const AddressServer&) = delete;
  ~AddressServer() {
    ::shutdown(socket_, SHUT_RDWR);  // ends accept()
    thread_.join();
    ::close(socket_);
  }
  void set(Mood mood) {
    const std::lock_guard lock(mutex_);
    mood_ = mood;
  }
  /// Whose addresses are taken.
  std::vector<std::string> taken() {
    const std::lock_guard lock(mutex_);
    return taken_;
  }

 private:
  void serve() {
    std::vector<int> waiting;
    for (int peer = 0; (peer = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      char text[2048];
      const auto size = ::recv(peer, text, sizeof text, 0);
      const std::string said =
          answer(std::string(text, size > 0 ? static_cast<std::size_t>(size) : 0));
      if (said.empty()) {
        waiting.push_back(peer);
        continue;
      }
      (void)::send(peer, said.data(), said.size(), MSG_NOSIGNAL);
      ::close(peer);
    }
    for (const int peer : waiting) ::close(peer);
  }
  std::string answer(const std::string& request) {
    const std::lock_guard lock(mutex_);
    std::istringstream words(request);
    std::string verb;
    std::string path;
    words >> verb >> path;
    if (mood_ == Mood::is_silent) return {};
    if (mood_ == Mood::talks_nonsense)
      return std::string("HTTP/1.0 ") + (verb == "DELETE" ? "500 Sorry" : "200 OK") +
             "\r\n\r\n<html>";
    const auto found = std::find(taken_.begin(), taken_.end(), path);
    const bool is_known = found != taken_.end();
    if (verb == "DELETE") {
      if (!is_known) return "HTTP/1.0 404 Not Found\r\n\r\n";
      taken_.erase(found);
      return "HTTP/1.0 204 No Content\r\n\r\n";
    }
    if (verb == "PUT" && mood_ == Mood::is_full)
      return "HTTP/1.0 507 Full\r\n\r\nno address is free";
    if (verb == "PUT" && !is_known) taken_.push_back(path);
    if (verb != "PUT" && !is_known) return "HTTP/1.0 404 Not Found\r\n\r\nunknown";
    return "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"
           R"({"address": "10.93.0.7/24", "gateway": "10.93.0.1"})";
  }

  int socket_ = -1;
  std::mutex mutex_;
  Mood mood_ = Mood::serves;
  std::vector<std::string> taken_;
  std::thread thread_;
};
using Mood = AddressServer::Mood;

class ExampleAddressServer : public ::testing::Test {
 protected:
  static constexpr const char* kPath = "/addresses/net/c1/eth0";
  static constexpr const char* kDue = "/var/lib/cni/address-server";
  ExampleAddressServer() {
    author_.build(UNICNI_EXAMPLES "/address-server");
    author_.link();
  }
  [[nodiscard]] Attachment job() const {
    return author_.attachment(container_,
                              R"({"cniVersion": "1.1.0", "name": "net", "type": "bridge",
        "bridge": "br-author",
        "ipam": {"type": "address-server", "server": "127.0.0.1", "port": 8080}})");
  }
  static std::string text_of(const Json& error) {
    return error["msg"].get<std::string>() + "; " + error.value("details", "");
  }

  Sandbox sandbox_;
  Container container_{"c1"};
  Author author_;
};

TEST_F(ExampleAddressServer, GivesTheAddressThatTheServerHasForTheAttachment) {
  AddressServer server;
  const Json result = must_add(job());
  EXPECT_EQ(result["ips"][0]["address"], "10.93.0.7/24");
  EXPECT_EQ(result["ips"][0]["gateway"], "10.93.0.1");
  EXPECT_EQ(server.taken(), std::vector<std::string>{kPath});
  expect_silent_success(job().check(result));
  expect_silent_success(job().status());
  expect_silent_success(job().del(result));
  EXPECT_TRUE(server.taken().empty());
  expect_silent_success(job().del(result));
}

TEST_F(ExampleAddressServer, SaysWhatIsWrongWithTheServer) {
  EXPECT_THAT(text_of(expect_error(job().add(), 11)),
              AllOf(HasSubstr("connect to server 127.0.0.1:8080"), HasSubstr("ECONNREFUSED"),
                    HasSubstr("look whether the server runs")));
  expect_error(job().status(), 50);
  AddressServer server;
  server.set(Mood::is_full);
  EXPECT_THAT(text_of(expect_error(job().add())), HasSubstr("507"));
  EXPECT_THAT(text_of(expect_error(job().add())), HasSubstr("no address is free"));
  server.set(Mood::talks_nonsense);
  EXPECT_THAT(text_of(expect_error(job().add())), HasSubstr("<html>"));
  EXPECT_FALSE(container_.succeeds({"ip", "link", "show", "eth0"}));
  EXPECT_TRUE(server.taken().empty());
}

TEST_F(ExampleAddressServer, DelSucceedsWithoutTheServerAndGcReleasesLater) {
  {
    AddressServer server;
    must_add(job());
  }
  const Output output = job().del();
  expect_silent_success(output);
  EXPECT_THAT(output.err, HasSubstr("GC will release the address"));
  EXPECT_EQ(files_in(kDue).size(), 1U);

  AddressServer server;
  server.set(Mood::is_silent);
  const auto start = std::chrono::steady_clock::now();
  expect_silent_success(job().del());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20))
      << "by its deadline";
  server.set(Mood::serves);
  must_add(job());
  EXPECT_TRUE(files_in(kDue).empty()) << "the address is in use again";
  server.set(Mood::talks_nonsense);
  expect_silent_success(job().del());
  server.set(Mood::serves);
  EXPECT_EQ(server.taken().size(), 1U);
  expect_silent_success(job().gc(Json::array()));
  EXPECT_TRUE(server.taken().empty());
  EXPECT_TRUE(files_in(kDue).empty());
}

}  // namespace
}  // namespace unicni::test::examples_test

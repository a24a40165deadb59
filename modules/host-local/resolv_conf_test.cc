#include "resolv_conf.h"

#include <unistd.h>

#include "fixture_for_test.h"

namespace unicni::host_local::resolv_conf_test {
namespace {

using Words = std::vector<std::string>;

TEST(ResolvConf, KnownLinesAreTaken) {
  const Dns dns = parse_resolv_conf(
      "# comment\n; comment\n\n  nameserver 192.0.2.1 ignored\nnameserver\t192.0.2.2\r\n"
      "domain first.example\ndomain example.com\nsearch a.example b.example\nsearch c.example\n"
      "options ndots:5\noptions rotate timeout:1\nsortlist 10.0.0.0\nnameserver\nNAMESERVER "
      "9.9.9.9\n"
      "nameserver 2001:db8::1");
  EXPECT_EQ(dns.nameservers, (Words{"192.0.2.1", "192.0.2.2", "2001:db8::1"}));
  EXPECT_EQ(dns.domain, "example.com");
  EXPECT_EQ(dns.search, (Words{"a.example", "b.example", "c.example"}));
  EXPECT_EQ(dns.options, (Words{"ndots:5", "rotate", "timeout:1"}));
}

TEST(ResolvConf, NothingIsEmpty) {
  EXPECT_TRUE(parse_resolv_conf("").empty());
  EXPECT_TRUE(parse_resolv_conf("\n\n \n#x").empty());
}

TEST(ResolvConf, UnreadableFileIsNamed) {
  const TempFolder folder;
  EXPECT_NE(error_of([&] { read_resolv_conf(folder / "none"); }).msg().find(folder / "none"),
            std::string::npos);
  EXPECT_NE(error_of([&] { read_resolv_conf(folder.path()); }).msg().find(folder.path()),
            std::string::npos);
  const Error relative = error_of([] { read_resolv_conf("etc/resolv.conf"); });
  EXPECT_TRUE(relative.is(Code::invalid_config));
  EXPECT_NE(relative.msg().find("'etc/resolv.conf'"), std::string::npos);
}

TEST(ResolvConf, SizeHasALimit) {
  const TempFolder folder;
  const std::string path = folder / "resolv.conf";
  const std::string line = "search example.com\n";
  std::string text;
  while (text.size() + line.size() <= 65536) text += line;
  sys::write_file_atomically(path, text, 0600);
  EXPECT_EQ(read_resolv_conf(path).search.size(), text.size() / line.size());
  sys::write_file_atomically(path, text + line, 0600);
  EXPECT_NE(error_of([&] { read_resolv_conf(path); }).msg().find("limit 65536 bytes"),
            std::string::npos);
  EXPECT_NE(error_of([] { read_resolv_conf("/dev/zero"); }).msg().find("limit"), std::string::npos);
}

TEST(ResolvConf, LinksAreFollowed) {
  const TempFolder folder;
  sys::write_file_atomically(folder / "file", "domain example.com\n", 0600);
  ASSERT_EQ(::symlink("file", (folder / "resolv.conf").c_str()), 0);
  EXPECT_EQ(read_resolv_conf(folder / "resolv.conf").domain, "example.com");
}

}  // namespace
}  // namespace unicni::host_local::resolv_conf_test

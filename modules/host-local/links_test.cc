// Links and other things where files of dataDir should be: folders may be links, files not.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "fixture_for_test.h"

namespace unicni::host_local::links_test {
namespace {

using std::string;

class Links : public HostLocalTest {
 protected:
  Links() {
    options.subnet = IpNet::parse("10.1.2.0/29");
    sys::ensure_folder(data_dir() + "/mynet", 0755);
    sys::write_file_atomically(victim(), "victim", 0600);
  }
  [[nodiscard]] string victim() const { return folder / "victim"; }
  void link(const string& name, const string& target) const {
    ASSERT_EQ(::symlink(target.c_str(), path(name).c_str()), 0);
  }
  void expect_untouched() const {
    EXPECT_EQ(sys::read_file(victim()), "victim");
    EXPECT_EQ(sys::list_folder(folder.path()).size(), 2U);
  }
};

TEST_F(Links, LockIsNoLink) {
  link("lock", folder / "made");
  EXPECT_NE(try_add().find("ELOOP"), string::npos);
  expect_untouched();
}

TEST_F(Links, LockThatIsAFifoHoldsNobodyUp) {
  ASSERT_EQ(::mkfifo(path("lock").c_str(), 0600), 0);
  EXPECT_EQ(try_add(), "10.1.2.2/29");
}

TEST_F(Links, CursorIsNoLink) {
  link("last_reserved_ip.0", victim());
  EXPECT_NE(try_add().find("ELOOP"), string::npos);
  EXPECT_EQ(get("10.1.2.2"), "(absent)");
  expect_untouched();
}

TEST_F(Links, AddressBehindALinkIsNobodysToGive) {
  put("owned", "ctr1\r\neth0");
  link("10.1.2.2", path("owned"));
  link("10.1.2.3", victim());
  link("10.1.2.4", folder / "none");
  EXPECT_EQ(try_add("ctr1"), "10.1.2.5/29");
  options.runtime_ips = {"10.1.2.2"};
  EXPECT_NE(try_add("ctr2").find("not available"), string::npos);
  options.runtime_ips.clear();
  del("ctr1");
  EXPECT_EQ(get("10.1.2.5"), "(absent)");
  EXPECT_EQ(get("owned"), "ctr1\r\neth0") << "it isn't the reservation of that file's owner";
  expect_untouched();
}

TEST_F(Links, IndexIsNoLink) {
  link(".unicni-index", victim());
  EXPECT_EQ(try_add("a"), "10.1.2.2/29");
  EXPECT_EQ(try_add("b"), "10.1.2.3/29");
  expect_untouched();
}

TEST_F(Links, FoldersMayBeLinks) {
  const string real = folder / "real";
  for (const string& place : {data_dir(), data_dir() + "/mynet"}) {
    std::filesystem::remove_all(data_dir());
    sys::ensure_folder(place, 0755);
    std::filesystem::remove(place);
    std::filesystem::remove_all(real);
    sys::ensure_folder(real, 0755);
    ASSERT_EQ(::symlink(real.c_str(), place.c_str()), 0);
    EXPECT_EQ(try_add("a"), "10.1.2.2/29");
    EXPECT_EQ(try_add("b"), "10.1.2.3/29");
    call.key.container_id = "b";
    check();
    del("a");
    EXPECT_EQ(get("10.1.2.2"), "(absent)");
    EXPECT_EQ(get("10.1.2.3"), "b\r\neth0");
  }
}

}  // namespace
}  // namespace unicni::host_local::links_test

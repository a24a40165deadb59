#include "unicni/undo/reservation.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <string>

#include "base/ip_for_test.h"
#include "base/temp_folder_for_test.h"
#include "undo/fake_kernel_for_test.h"
#include "undo/kinds.h"
#include "unicni/ipam/store.h"
#include "unicni/sys/file.h"

namespace unicni::undo::reservation_test {
namespace {

class ReservationRecord : public ::testing::Test {
 protected:
  [[nodiscard]] Undo record(bool rests) const {
    return undo_reservation(folder_ / "networks", "net", ip("10.1.2.2"), content_, rests);
  }
  Found find(const Undo& record) {
    Undoing undoing{kernel_, Why::removal, deadline_, none_, daemons_};
    return kReservationKind.find(record, undoing);
  }
  void undo(const Undo& record, Why why) {
    Undoing undoing{kernel_, why, deadline_, none_, daemons_};
    kReservationKind.undo({record}, undoing);
  }
  const std::string content_ = "dummy\r\neth0";
  const Deadline deadline_ = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const std::vector<Undo> none_;
  TempFolder folder_;
  FakeKernel kernel_;
  Daemons daemons_;
};

TEST_F(ReservationRecord, GoesIfItIsStillOurs) {
  const std::string file = (folder_ / "networks") + "/net/10.1.2.2";
  undo(record(false), Why::failed_add);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "networks")) << "no folder is made";
  EXPECT_EQ(find(record(false)), Found::absent);
  sys::ensure_folder((folder_ / "networks") + "/net", 0755);
  for (const auto& [content, goes] : std::map<std::string, bool>{{content_, true},
                                                                 {" dummy\r\neth0\n", true},
                                                                 {"", true},
                                                                 {"dummy\r\neth1", false},
                                                                 {"other\r\neth0", false},
                                                                 {"dummy", false}}) {
    sys::write_file_atomically(file, content, 0600);
    EXPECT_EQ(find(record(false)), goes ? Found::ours : Found::others) << content;
    undo(record(false), Why::removal);
    EXPECT_NE(std::filesystem::exists(file), goes) << content;
  }
}

TEST_F(ReservationRecord, RestsOnlyIfItWasUsed) {
  const ipam::RangeSet set = {
      {IpNet::parse("10.1.2.0/30").value(), ip("10.1.2.1"), ip("10.1.2.2"), ip("10.1.2.1")}};
  const auto open = [&](bool create) {
    return ipam::Store(folder_ / "networks", "net", deadline_, create);
  };
  for (const Why why : {Why::failed_add, Why::removal}) {
    ASSERT_TRUE(open(true).reserve(ip("10.1.2.2"), {"dummy", "eth0"}, 0, [](auto&&...) {}));
    undo(record(true), why);
    EXPECT_EQ(open(false).has_free(set, {}, 0), why == Why::failed_add);
  }
}

}  // namespace
}  // namespace unicni::undo::reservation_test

// A node on which Debian's plugins and ours alternate: what one made, the other checks and takes
// down.
#include "integration/host_test.h"

namespace unicni::test::exchange_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kCount = 20;

class Exchange : public HostTest {
 protected:
  static Json network() {
    return Json::parse(R"({
      "cniVersion": "1.0.0", "name": "net", "type": "bridge", "bridge": "br0",
      "isDefaultGateway": true, "ipMasq": true,
      "ipam": {"type": "host-local", "subnet": "10.1.2.0/24"}
    })");
  }
  static Attachment by(const std::string& folder, Attachment job) {
    job.folder = job.cni_path = folder;
    return job;
  }
  void SetUp() override {
    // What stays after the last DEL of each is there from now on.
    for (const std::string& folder : folders_) {
      const Attachment job = by(folder, attachment(network(), "first"));
      expect_silent_success(job.del(must_add(job)));
      containers_.pop_back();
    }
    before_ = snapshot();
    for (int i = 0; i < kCount; ++i) {
      jobs_.push_back(attachment(network(), "c" + std::to_string(i)));
    }
  }
  [[nodiscard]] const std::string& maker_of(std::size_t i) const { return folders_[i % 2]; }
  [[nodiscard]] const std::string& other_of(std::size_t i) const { return folders_[(i + 1) % 2]; }
  /// Each by its maker, all alive at once.
  std::vector<Json> add_all() {
    std::vector<Json> results;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      results.push_back(must_add(by(maker_of(i), jobs_[i])));
    }
    EXPECT_THAT(reservations("net"), SizeIs(kCount));
    return results;
  }
  /// DEL by the one or the other. The reference's first DEL of an attachment that has no iptables
  /// rules of its own ends, after all else is done, with "Chain … does not exist"; as runtimes
  /// repeat what failed, the second one succeeds.
  static void del(const std::string& folder, const Attachment& job, const Json& result) {
    const Output first = by(folder, job).del(result);
    if (first.ok() || folder != kReferenceDir) return expect_silent_success(first);
    EXPECT_THAT(first.out, ::testing::ContainsRegex("Chain 'CNI-[0-9a-f]+' does not exist"));
    expect_silent_success(by(folder, job).del(result));
  }
  void expect_containers_empty() {
    for (const Attachment& job : jobs_) EXPECT_THAT(link_names(container_of(job).fd()), IsEmpty());
  }

  const std::string folders_[2] = {bin_dir(), kReferenceDir};
  Snapshot before_;
  std::vector<Attachment> jobs_;
};

TEST_F(Exchange, TheOtherChecksAndOursDeletesAll) {
  const auto results = add_all();
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    SCOPED_TRACE(jobs_[i].container_id + " made by " + maker_of(i));
    expect_silent_success(by(other_of(i), jobs_[i]).check(results[i]));
    expect_silent_success(by(maker_of(i), jobs_[i]).check(results[i]));
  }
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    SCOPED_TRACE(jobs_[i].container_id + " made by " + maker_of(i));
    expect_silent_success(by(bin_dir(), jobs_[i]).del(results[i]));
  }
  EXPECT_EQ(difference(before_, snapshot()), "");
  expect_containers_empty();
}

// As a runtime below 0.4.0 calls it.
TEST_F(Exchange, OursDeletesAllWithoutPrevResult) {
  for (Attachment& job : jobs_) job.config = with_version(job.config, "0.3.1");
  add_all();
  for (const Attachment& job : jobs_) expect_silent_success(by(bin_dir(), job).del());
  EXPECT_EQ(difference(before_, snapshot()), "");
  expect_containers_empty();
}

// The reference doesn't know our table and journal: what its DEL leaves of ours is void, hinders
// nobody, and goes with our next DEL or GC.
TEST_F(Exchange, TheOtherDeletes) {
  const auto results = add_all();
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    SCOPED_TRACE(jobs_[i].container_id + " made by " + maker_of(i));
    del(other_of(i), jobs_[i], results[i]);
  }
  EXPECT_THAT(reservations("net"), IsEmpty());
  EXPECT_THAT(link_names(), ElementsAre("br0"));
  expect_containers_empty();
  EXPECT_THAT(masqueraded(4), SizeIs(kCount / 2));

  Attachment collector = by(bin_dir(), jobs_[0]);
  collector.config = with_version(network(), "1.1.0");
  expect_silent_success(collector.gc(Json::array()));
  EXPECT_EQ(difference(before_, snapshot()), "");
}

// With the reference's own rules its DEL has nothing to complain of, and nothing is left at all but
// our journal.
TEST_F(Exchange, TheOtherDeletesWithItsBackend) {
  for (Attachment& job : jobs_) job.config["ipMasqBackend"] = "iptables";
  const auto results = add_all();
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    SCOPED_TRACE(jobs_[i].container_id + " made by " + maker_of(i));
    expect_silent_success(by(other_of(i), jobs_[i]).check(results[i]));
    expect_silent_success(by(other_of(i), jobs_[i]).del(results[i]));
  }
  EXPECT_THAT(files_in(kJournals), SizeIs(kCount / 2));
  for (const Attachment& job : jobs_) expect_silent_success(by(bin_dir(), job).del());
  EXPECT_EQ(difference(before_, snapshot()), "");
  expect_containers_empty();
}

// A pool of few addresses, so that each is one's and then the other's.
TEST_F(Exchange, AddressesChangeHandsBetweenTheTwo) {
  Json config = network();
  config["ipam"]["rangeStart"] = "10.1.2.10";
  config["ipam"]["rangeEnd"] = "10.1.2.12";
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    SCOPED_TRACE(jobs_[i].container_id + " made by " + maker_of(i));
    Attachment job = jobs_[i];
    job.config = config;
    const Json result = must_add(by(maker_of(i), job));
    expect_silent_success(by(other_of(i), job).check(result));
    // Deleted by the maker, by the other, by both.
    if (i % 3 != 0) del(other_of(i), job, result);
    if (i % 3 != 1) del(maker_of(i), job, result);
    EXPECT_THAT(reservations("net"), IsEmpty());
    if (HasFailure()) return;
  }
  Attachment collector = by(bin_dir(), jobs_[0]);
  collector.config = with_version(config, "1.1.0");
  expect_silent_success(collector.gc(Json::array()));
  EXPECT_EQ(difference(before_, snapshot()), "");
  expect_containers_empty();
}

// The same attachment again and again: a journal of the last one of ours may be left when the
// reference makes the next.
TEST_F(Exchange, OneAttachmentAlternates) {
  const Attachment& job = jobs_[0];
  for (std::size_t i = 0; i < 8; ++i) {
    SCOPED_TRACE(i);
    const Json result = must_add(by(maker_of(i), job));
    expect_silent_success(by(bin_dir(), job).check(result));
    del(i % 4 < 2 ? other_of(i) : maker_of(i), job, result);
    EXPECT_THAT(reservations("net"), IsEmpty());
    EXPECT_THAT(link_names(), ElementsAre("br0"));
    if (HasFailure()) return;
  }
  expect_silent_success(by(bin_dir(), job).del());
  EXPECT_EQ(difference(before_, snapshot()), "");
}

}  // namespace
}  // namespace unicni::test::exchange_test

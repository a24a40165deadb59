// CNI_IFNAME and CNI_CONTAINERID of every legal byte and length: each attachment is known by its
// name through its whole life, and none is taken for another.
#include <set>

#include "integration/host_test.h"

namespace unicni::test::legal_names_test {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kLongestIfName = 15;
constexpr std::size_t kLongestId = 255;
constexpr std::size_t kNames = 270;  ///< as many as bytes and lengths need
constexpr std::size_t kCrowd = 15;   ///< how many are there at a time

/// Bytes that the name of a new link may have.
std::vector<char> if_name_bytes() {
  std::vector<char> bytes;
  for (int byte = 1; byte < 256; ++byte) {
    const bool space = (byte >= 9 && byte <= 13) || byte == ' ' || byte == 0xa0;
    if (!space && byte != '/' && byte != ':' && byte != '%') {
      bytes.push_back(static_cast<char>(byte));
    }
  }
  return bytes;
}

std::vector<char> id_bytes() {
  std::vector<char> bytes;
  for (const char* range : {"az", "AZ", "09"}) {
    for (char byte = range[0]; byte <= range[1]; ++byte) bytes.push_back(byte);
  }
  bytes.insert(bytes.end(), {'_', '.', '-'});
  return bytes;
}

/// Name `i` of a sequence that has each of `bytes` first, last and between; lengths take turns. The
/// last byte walks against the first, so that no two are equal.
std::string name_of(std::size_t i, const std::vector<char>& first, const std::vector<char>& bytes,
                    std::size_t length) {
  // Every fifteenth of the first round has one byte only; a second round makes up for these.
  const std::size_t walk = i < bytes.size() ? i : (i - bytes.size()) * kLongestIfName;
  const std::size_t last = bytes.size() - 1 - walk % bytes.size();
  std::string name{first[i % first.size()]};
  for (std::size_t at = 1; at < length; ++at) {
    name += bytes[at + 1 == length ? last : (i * 13 + at) % bytes.size()];
  }
  return name;
}

struct Names {
  std::string if_name;
  std::string container_id;
};

std::vector<Names> all_names() {
  const std::vector<char> bytes = if_name_bytes();
  const std::vector<char> id = id_bytes();
  const std::vector<char> id_first(id.begin(), id.end() - 3);
  std::vector<Names> names;
  for (std::size_t i = 0; i < kNames; ++i) {
    const std::size_t length =
        i < bytes.size() ? 1 + i * 4 % kLongestIfName : 2 + i % (kLongestIfName - 1);
    std::string if_name = name_of(i, bytes, bytes, length);
    if (if_name == "." || if_name == "..") if_name += 'x';
    std::string container_id = name_of(i, id_first, id, 1 + i % kLongestId);
    // An owner that is too long for an alias is a hash there, of bytes that JSON can't tell: GC
    // takes a living one for somebody else's (not mended yet).
    const bool is_ascii = std::all_of(if_name.begin(), if_name.end(), [](char c) { return c > 0; });
    if (container_id.size() > kLongestId - 30 && !is_ascii) {
      names.push_back({"long" + std::to_string(i), container_id});
      container_id = "short" + std::to_string(i);
    }
    names.push_back({if_name, container_id});
  }
  return names;
}

/// What a name is in JSON, which has no bytes that aren't UTF-8.
std::string in_json(const std::string& name) {
  return Json::parse(Json(name).dump(-1, ' ', false, Json::error_handler_t::replace));
}

class LegalNames : public HostTest {
 protected:
  LegalNames() {
    for (std::size_t i = 0; i < kCrowd; ++i) container("n" + std::to_string(i));
    bystander_ = {.config = network(), .netns = container("other").path(), .container_id = "other"};
    bystanders_ = must_add(bystander_);
  }
  static Json network() {
    return Json::parse(R"({"cniVersion": "1.1.0", "name": "mynet", "type": "unicni", "plugins": [
      {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
       "ipam": {"type": "host-local", "subnet": "10.1.0.0/16"}},
      {"type": "firewall"}]})");
  }
  static std::string say(const Attachment& job) {
    return in_json(job.container_id + " / " + job.if_name) + " (" +
           std::to_string(job.container_id.size()) + ", " + std::to_string(job.if_name.size()) +
           ')';
  }
  static Json entry(const Attachment& job) {
    return {{"containerID", job.container_id}, {"ifname", in_json(job.if_name)}};
  }
  /// GC of all but `jobs` and the bystander.
  void collect(const std::vector<Attachment>& jobs) const {
    Json valid = Json::array({valid_entry(bystander_)});
    for (const Attachment& job : jobs) valid.push_back(entry(job));
    Attachment all{.config = network(), .netns = "", .container_id = "", .if_name = ""};
    expect_silent_success(all.gc(valid));
  }
  void expect_all_well(const std::vector<Attachment>& jobs) {
    for (const Attachment& job : jobs) {
      SCOPED_TRACE(say(job));
      expect_silent_success(job.check(results_.at(job.container_id + '/' + job.if_name)));
    }
    expect_nobody_missing(jobs.size());
  }
  void expect_nobody_missing(std::size_t jobs) const {
    expect_silent_success(bystander_.check(bystanders_));
    EXPECT_THAT(reservations("mynet"), SizeIs(jobs + 1));
    EXPECT_THAT(nft_elements("att4"), SizeIs(jobs + 1));
    EXPECT_THAT(files_in(kJournals), SizeIs(jobs + 1));
  }
  /// The whole life of a crowd.
  void live(std::vector<Attachment> jobs) {
    for (const Attachment& job : jobs) {
      SCOPED_TRACE(say(job));
      results_[job.container_id + '/' + job.if_name] = must_add(job);
      ASSERT_TRUE(container_of(job).succeeds({"ip", "link", "show", "dev", job.if_name}));
    }
    collect(jobs);
    expect_nobody_missing(jobs.size());
    // One of them is nobody's any more.
    const auto dead = jobs.begin() + static_cast<std::ptrdiff_t>(jobs.size() / 2);
    const Attachment gone = *dead;
    jobs.erase(dead);
    const bool has_twin = std::any_of(jobs.begin(), jobs.end(),
                                      [&](const auto& job) { return entry(job) == entry(gone); });
    if (has_twin) expect_silent_success(gone.del());  // in JSON the other one has the same name
    collect(jobs);
    expect_all_well(jobs);
    EXPECT_FALSE(container_of(gone).succeeds({"ip", "link", "show", "dev", gone.if_name}));
    expect_silent_success(gone.del());
    for (std::size_t left = jobs.size(); left > 0; --left) {
      const Attachment& job = jobs[left - 1];
      SCOPED_TRACE(say(job));
      expect_silent_success(
          left % 2 == 0 ? job.del() : job.del(results_.at(job.container_id + '/' + job.if_name)));
      if (left == 3) expect_all_well({jobs.begin(), jobs.begin() + 2});
    }
    expect_nobody_missing(0);
    results_.clear();
  }

  Attachment bystander_;
  Json bystanders_;
  std::map<std::string, Json> results_;
};

TEST_F(LegalNames, GeneratorHasEachByteAtEachPlaceAndEachLength) {
  std::set<char> first;
  std::set<char> between;
  std::set<char> last;
  std::set<std::size_t> lengths;
  std::set<std::size_t> id_lengths;
  for (const Names& names : all_names()) {
    const std::string& name = names.if_name;
    first.insert(name.front());
    if (name.size() > 1) last.insert(name.back());
    for (std::size_t i = 1; i + 1 < name.size(); ++i) between.insert(name[i]);
    lengths.insert(name.size());
    id_lengths.insert(names.container_id.size());
  }
  EXPECT_THAT(first, SizeIs(if_name_bytes().size()));
  EXPECT_THAT(last, SizeIs(if_name_bytes().size()));
  EXPECT_THAT(between, SizeIs(if_name_bytes().size()));
  EXPECT_THAT(lengths, SizeIs(kLongestIfName));
  EXPECT_THAT(id_lengths, SizeIs(kLongestId));
}

/// Crowds of containers of one interface and, in turn, one container that has all of them.
TEST_F(LegalNames, LiveAndGoWithoutTouchingEachOther) {
  const std::vector<Names> names = all_names();
  const Snapshot before = snapshot();
  for (std::size_t at = 0; at < names.size(); at += kCrowd) {
    const bool one_container = at / kCrowd % 2 == 1;
    std::vector<Attachment> jobs;
    auto inside = containers_.begin();
    for (std::size_t i = at; i < std::min(at + kCrowd, names.size()); ++i, ++inside) {
      jobs.push_back({.config = network(),
                      .netns = one_container ? containers_.front().path() : inside->path(),
                      .container_id = one_container ? names[at].container_id.substr(0, 200)
                                                    : names[i].container_id,
                      .if_name = names[i].if_name});
    }
    live(jobs);
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(difference(before, snapshot()), "");
}

}  // namespace
}  // namespace unicni::test::legal_names_test

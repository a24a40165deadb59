#include "client_v6.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ip_for_test.h"

namespace unicni::dhcp::client_v6_test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

using State = ClientV6::State;

const Bytes kServer{0, 1, 0xa};
const Bytes kOther{0, 1, 0xb};
constexpr std::uint32_t kForEver = 0xffffffff;

class ClientV6Test : public testing::Test {
 protected:
  static IdentityV6 identity() { return {{0, 4, 1, 2, 3}, 9}; }
  static PatienceV6 patience(milliseconds probe = milliseconds(0)) {
    return {.longest = milliseconds(4000), .offers = milliseconds(100), .probe = probe};
  }

  /// What a server answers to what was sent last.
  [[nodiscard]] PacketV6 answer(MessageTypeV6 type, const char* address = "2001:db8::9",
                                std::uint32_t preferred = 100, std::uint32_t valid = 200) const {
    PacketV6 packet;
    packet.type = type;
    packet.xid = last_.xid;
    packet.client = identity().duid;
    packet.server = kServer;
    packet.associations = {{.id = identity().iaid, .addresses = {{ip(address), preferred, valid}}}};
    return packet;
  }
  [[nodiscard]] PacketV6 refusal(MessageTypeV6 type, StatusCodeV6 code,
                                 const char* text = "") const {
    PacketV6 packet = answer(type);
    packet.associations = {
        {.id = identity().iaid, .status = StatusV6{static_cast<std::uint16_t>(code), text}}};
    return packet;
  }
  ClientV6::Output keep(ClientV6::Output out) {
    if (out.send) last_ = *out.send;
    return out;
  }
  ClientV6::Output receive(const PacketV6& packet) {
    return keep(client_.receive(packet, ip("fe80::1"), now_));
  }
  /// Goes to the moment when something is due.
  ClientV6::Output wait() {
    now_ = client_.next();
    return keep(client_.elapse(now_));
  }
  void become_bound(std::uint32_t preferred = 100, std::uint32_t valid = 200) {
    keep(client_.start(now_));
    receive(answer(MessageTypeV6::advertise));
    wait();
    ASSERT_EQ(last_.type, MessageTypeV6::request);
    ASSERT_EQ(receive(answer(MessageTypeV6::reply, "2001:db8::9", preferred, valid)).event,
              LeaseEvent::bound);
  }
  /// Bound, and asking the server for more time.
  void become_renewing() {
    become_bound();
    wait();
    ASSERT_EQ(last_.type, MessageTypeV6::renew);
  }

  std::uint32_t seed_ = 7;
  Instant now_{1'000'000};
  PacketV6 last_;
  ClientV6 client_{identity(), patience(), [this] { return seed_ = seed_ * 1664525 + 1013904223; }};
};

TEST_F(ClientV6Test, SolicitsAndTakesTheOfferedAddressOfTheChosenServer) {
  keep(client_.start(now_));
  EXPECT_EQ(last_.type, MessageTypeV6::solicit);
  EXPECT_EQ(last_.client, identity().duid);
  EXPECT_TRUE(last_.server.empty());
  EXPECT_TRUE(last_.rapid_commit);
  EXPECT_EQ(last_.elapsed, 0);
  ASSERT_EQ(last_.associations.size(), 1U);
  EXPECT_EQ(last_.associations[0].id, 9U);
  EXPECT_THAT(last_.requested, testing::ElementsAre(23, 24, 82));
  const std::uint32_t xid = last_.xid;
  EXPECT_FALSE(receive(answer(MessageTypeV6::advertise)).send) << "a better one may come";
  now_ += milliseconds(99);
  EXPECT_FALSE(client_.elapse(now_).send);
  wait();
  EXPECT_EQ(last_.type, MessageTypeV6::request);
  EXPECT_NE(last_.xid, xid);
  EXPECT_EQ(last_.server, kServer);
  EXPECT_EQ(last_.associations[0].addresses[0].address, ip("2001:db8::9"));
  PacketV6 others = answer(MessageTypeV6::reply);
  others.server = kOther;
  EXPECT_EQ(receive(others).event, LeaseEvent::none);
  PacketV6 reply = answer(MessageTypeV6::reply);
  reply.options[23] = Bytes(16, 1);
  reply.options[99] = {1};
  EXPECT_EQ(receive(reply).event, LeaseEvent::bound);
  ASSERT_NE(client_.grant(), nullptr);
  EXPECT_EQ(client_.grant()->address, ip("2001:db8::9"));
  EXPECT_EQ(client_.grant()->server, kServer);
  EXPECT_EQ(client_.grant()->options, (OptionsV6{{23, Bytes(16, 1)}}));
  EXPECT_EQ(client_.grant()->t1, now_ + milliseconds(50'000));
  EXPECT_EQ(client_.grant()->t2, now_ + milliseconds(80'000));
  EXPECT_EQ(client_.grant()->expires, now_ + milliseconds(200'000));
}

TEST_F(ClientV6Test, ARapidCommitNeedsNoRequest) {
  keep(client_.start(now_));
  PacketV6 reply = answer(MessageTypeV6::reply);
  EXPECT_EQ(receive(reply).event, LeaseEvent::none)
      << "a REPLY to a SOLICIT must say that it commits";
  reply.rapid_commit = true;
  EXPECT_EQ(receive(reply).event, LeaseEvent::bound);
}

TEST_F(ClientV6Test, TheHighestPreferenceWinsAndTheBestOneAtOnce) {
  keep(client_.start(now_));
  receive(answer(MessageTypeV6::advertise, "2001:db8::1"));
  PacketV6 better = answer(MessageTypeV6::advertise, "2001:db8::2");
  better.server = kOther;
  better.preference = 7;
  receive(better);
  PacketV6 worse = answer(MessageTypeV6::advertise, "2001:db8::3");
  worse.preference = 6;
  receive(worse);
  wait();
  EXPECT_EQ(last_.server, kOther);
  EXPECT_EQ(last_.associations[0].addresses[0].address, ip("2001:db8::2"));

  keep(client_.start(now_));
  PacketV6 best = answer(MessageTypeV6::advertise);
  best.preference = 255;
  receive(best);
  EXPECT_EQ(last_.type, MessageTypeV6::request);
}

TEST_F(ClientV6Test, WhoHasSolicitedInVainTakesTheFirstOffer) {
  keep(client_.start(now_));
  wait();
  EXPECT_EQ(last_.type, MessageTypeV6::solicit);
  receive(answer(MessageTypeV6::advertise));
  EXPECT_EQ(last_.type, MessageTypeV6::request);
}

TEST_F(ClientV6Test, AnswersToOthersAreNotHeard) {
  keep(client_.start(now_));
  const auto unheard = [&](const std::function<void(PacketV6&)>& change) {
    PacketV6 packet = answer(MessageTypeV6::advertise);
    packet.preference = 255;
    change(packet);
    receive(packet);
    EXPECT_EQ(client_.state(), State::soliciting);
  };
  unheard([](PacketV6& packet) { packet.xid ^= 1U; });
  unheard([](PacketV6& packet) { packet.client[2] ^= 1U; });
  unheard([](PacketV6& packet) { packet.client.clear(); });
  unheard([](PacketV6& packet) { packet.server.clear(); });
  unheard([](PacketV6& packet) { packet.associations[0].id ^= 1U; });
  unheard([](PacketV6& packet) { packet.associations.clear(); });
  unheard([](PacketV6& packet) { packet.type = MessageTypeV6::solicit; });
  unheard([](PacketV6& packet) { packet.type = MessageTypeV6::reconfigure; });
}

TEST_F(ClientV6Test, AddressesThatNoInterfaceCanHaveAreNoOffer) {
  keep(client_.start(now_));
  for (const char* address : {"::", "::1", "ff02::1", "fe80::9"}) {
    receive(answer(MessageTypeV6::advertise, address));
  }
  receive(answer(MessageTypeV6::advertise, "2001:db8::9", 30, 20));
  receive(answer(MessageTypeV6::advertise, "2001:db8::9", 0, 0));
  PacketV6 upside_down = answer(MessageTypeV6::advertise);
  upside_down.associations[0].t1 = 9;
  upside_down.associations[0].t2 = 8;
  receive(upside_down);
  wait();
  EXPECT_EQ(last_.type, MessageTypeV6::solicit) << "none was taken";
  EXPECT_THAT(client_.seen(), HasSubstr("T1 9 behind T2 8"));
}

TEST_F(ClientV6Test, RepeatsInTheRhythmOfTheRfc) {
  keep(client_.start(now_));
  Span before{};
  for (int i = 0; i < 6; ++i) {
    const Span pause = client_.next() - now_;
    const Span base = i == 0 ? Span(1000) : std::min(2 * before, Span(4000));
    EXPECT_GE(pause, base - base / 10) << i;
    EXPECT_LE(pause, base + base / 5) << i;
    before = pause;
    wait();
    EXPECT_EQ(last_.type, MessageTypeV6::solicit);
  }
  EXPECT_GT(last_.elapsed, 500);
}

TEST_F(ClientV6Test, AloneItSolicitsEverMoreSeldomAndAsTheServerSays) {
  client_.hurry(false);
  keep(client_.start(now_));
  PacketV6 none = refusal(MessageTypeV6::advertise, StatusCodeV6::no_addresses);
  none.options[82] = {0, 0, 0, 59};
  receive(none);
  for (int i = 0; i < 14; ++i) wait();
  EXPECT_GT(client_.next() - now_, Span(3'200'000)) << "59 seconds are too few to be believed";
  none = refusal(MessageTypeV6::advertise, StatusCodeV6::no_addresses);
  none.options[82] = {0, 0, 0, 60};
  receive(none);
  wait();
  EXPECT_LE(client_.next() - now_, Span(66'000));
}

TEST_F(ClientV6Test, ARefusalIsToldWithItsServerAndItsWords) {
  EXPECT_EQ(client_.seen(), "no DHCPv6 server answered");
  keep(client_.start(now_));
  receive(refusal(MessageTypeV6::advertise, StatusCodeV6::no_addresses, "pool is empty"));
  EXPECT_EQ(client_.seen(), "fe80::1: NoAddrsAvail: pool is empty");
  EXPECT_EQ(client_.state(), State::soliciting);
  PacketV6 whole = answer(MessageTypeV6::advertise);
  whole.status = StatusV6{2, ""};
  receive(whole);
  EXPECT_THAT(client_.seen(), HasSubstr("; fe80::1: NoAddrsAvail"));
  receive(answer(MessageTypeV6::advertise));
  wait();
  receive(refusal(MessageTypeV6::reply, StatusCodeV6::not_on_link));
  EXPECT_EQ(client_.state(), State::soliciting) << "it begins anew";
  EXPECT_THAT(client_.seen(), HasSubstr("NotOnLink"));
  EXPECT_GT(client_.next(), now_) << "not at once, or two would turn in a circle";
  wait();
  EXPECT_EQ(last_.type, MessageTypeV6::solicit);
}

TEST_F(ClientV6Test, AServerThatOffersAndDoesntGiveIsLeft) {
  keep(client_.start(now_));
  receive(answer(MessageTypeV6::advertise));
  wait();
  for (int i = 1; i < 10; ++i) {
    wait();
    EXPECT_EQ(last_.type, MessageTypeV6::request) << i;
  }
  wait();
  wait();
  EXPECT_EQ(last_.type, MessageTypeV6::solicit);
  EXPECT_THAT(client_.seen(), HasSubstr("fe80::1 offered 2001:db8::9 and did not give it"));
}

TEST_F(ClientV6Test, AsksItsServerAtT1AndAnybodyAtT2) {
  become_bound();
  const Instant began = now_;
  wait();
  EXPECT_EQ(now_, began + milliseconds(50'000));
  EXPECT_EQ(last_.type, MessageTypeV6::renew);
  EXPECT_EQ(last_.server, kServer);
  EXPECT_EQ(last_.associations[0].addresses[0].address, ip("2001:db8::9"));
  while (last_.type == MessageTypeV6::renew) wait();
  EXPECT_EQ(now_, began + milliseconds(80'000));
  EXPECT_EQ(last_.type, MessageTypeV6::rebind);
  EXPECT_TRUE(last_.server.empty());
  PacketV6 reply = answer(MessageTypeV6::reply);
  reply.server = kOther;
  EXPECT_EQ(receive(reply).event, LeaseEvent::renewed);
  EXPECT_EQ(client_.grant()->server, kOther);
  EXPECT_EQ(client_.grant()->expires, now_ + milliseconds(200'000));
}

TEST_F(ClientV6Test, WhatNobodyRenewsEnds) {
  become_bound();
  const Instant end = client_.grant()->expires;
  ClientV6::Output out;
  while (client_.grant() != nullptr) out = wait();
  EXPECT_EQ(now_, end);
  EXPECT_EQ(out.event, LeaseEvent::lost);
  wait();
  EXPECT_EQ(last_.type, MessageTypeV6::solicit);
}

TEST_F(ClientV6Test, AnotherAddressAtRenewalMoves) {
  become_renewing();
  EXPECT_EQ(receive(answer(MessageTypeV6::reply, "2001:db8::a")).event, LeaseEvent::moved);
  EXPECT_EQ(client_.grant()->address, ip("2001:db8::a"));
}

TEST_F(ClientV6Test, OfSeveralAddressesItsOwnStays) {
  become_renewing();
  PacketV6 reply = answer(MessageTypeV6::reply, "2001:db8::a");
  reply.associations[0].addresses.push_back({ip("2001:db8::9"), 100, 200});
  EXPECT_EQ(receive(reply).event, LeaseEvent::renewed);
  wait();
  reply = answer(MessageTypeV6::reply, "2001:db8::9", 0, 0);
  reply.associations[0].addresses.push_back({ip("2001:db8::b"), 100, 200});
  EXPECT_EQ(receive(reply).event, LeaseEvent::moved) << "it was taken back, and another one given";
}

TEST_F(ClientV6Test, AServerThatHasForgottenIsAskedAnewAndTheAddressStays) {
  become_renewing();
  EXPECT_EQ(receive(refusal(MessageTypeV6::reply, StatusCodeV6::no_binding)).event,
            LeaseEvent::none);
  EXPECT_EQ(last_.type, MessageTypeV6::request);
  EXPECT_EQ(last_.associations[0].addresses[0].address, ip("2001:db8::9"));
  ASSERT_NE(client_.grant(), nullptr);
  EXPECT_EQ(receive(answer(MessageTypeV6::reply)).event, LeaseEvent::renewed);
}

TEST_F(ClientV6Test, OneThatThenHasNoneTakesTheAddressAway) {
  become_renewing();
  receive(refusal(MessageTypeV6::reply, StatusCodeV6::no_binding));
  EXPECT_EQ(receive(refusal(MessageTypeV6::reply, StatusCodeV6::no_addresses)).event,
            LeaseEvent::lost);
  EXPECT_EQ(client_.grant(), nullptr);
}

TEST_F(ClientV6Test, AnAddressThatIsTakenBackIsLost) {
  become_renewing();
  EXPECT_EQ(receive(answer(MessageTypeV6::reply, "2001:db8::9", 0, 0)).event, LeaseEvent::lost);
  wait();
  EXPECT_EQ(last_.type, MessageTypeV6::solicit);
}

TEST_F(ClientV6Test, ARefusalThatSaysNothingOfTheAddressChangesNothing) {
  become_renewing();
  EXPECT_EQ(receive(refusal(MessageTypeV6::reply, StatusCodeV6::unspecified, "busy")).event,
            LeaseEvent::none);
  EXPECT_NE(client_.grant(), nullptr);
  EXPECT_EQ(client_.state(), State::renewing);
}

TEST_F(ClientV6Test, ForEverIsNeverRenewed) {
  become_bound(kForEver, kForEver);
  EXPECT_EQ(client_.grant()->preferred, kNever);
  EXPECT_EQ(client_.grant()->expires, kNever);
  EXPECT_EQ(client_.next(), kNever);
}

TEST_F(ClientV6Test, TimesThatTheServerSaysLieInTheLease) {
  keep(client_.start(now_));
  PacketV6 reply = answer(MessageTypeV6::reply);
  reply.rapid_commit = true;
  reply.associations[0].t1 = 300;
  reply.associations[0].t2 = 400;
  receive(reply);
  EXPECT_EQ(client_.grant()->t1, client_.grant()->expires);
  EXPECT_EQ(client_.grant()->t2, client_.grant()->expires);
}

TEST_F(ClientV6Test, AnAddressThatAnotherMachineHasIsDeclined) {
  client_ = ClientV6(identity(), patience(milliseconds(50)),
                     [this] { return seed_ = seed_ * 1664525 + 1013904223; });
  keep(client_.start(now_));
  PacketV6 reply = answer(MessageTypeV6::reply);
  reply.rapid_commit = true;
  EXPECT_EQ(receive(reply).probe, ip("2001:db8::9"));
  EXPECT_EQ(client_.grant(), nullptr);
  keep(client_.conflict(now_));
  EXPECT_EQ(last_.type, MessageTypeV6::decline);
  EXPECT_EQ(last_.server, kServer);
  EXPECT_EQ(last_.associations[0].addresses[0].address, ip("2001:db8::9"));
  EXPECT_THAT(client_.seen(), HasSubstr("2001:db8::9, which a server gave, is another machine's"));
  wait();
  EXPECT_EQ(last_.type, MessageTypeV6::solicit);
  reply = answer(MessageTypeV6::reply, "2001:db8::a");
  reply.rapid_commit = true;
  receive(reply);
  EXPECT_EQ(wait().event, LeaseEvent::bound) << "nobody has that one";
}

TEST_F(ClientV6Test, AReleaseNamesServerAndAddress) {
  become_bound();
  const PacketV6 release = client_.release();
  EXPECT_EQ(release.type, MessageTypeV6::release);
  EXPECT_EQ(release.server, kServer);
  EXPECT_EQ(release.client, identity().duid);
  EXPECT_EQ(release.associations[0].addresses[0].address, ip("2001:db8::9"));
  EXPECT_TRUE(release.requested.empty());
  EXPECT_EQ(client_.release(MessageTypeV6::decline).type, MessageTypeV6::decline);
}

TEST_F(ClientV6Test, OneOfAFileGoesOnWithWhatIsDue) {
  GrantV6 grant;
  grant.address = ip("2001:db8::9");
  grant.server = kServer;
  grant.t1 = now_ - milliseconds(1);
  grant.t2 = now_ + milliseconds(10'000);
  grant.expires = now_ + milliseconds(20'000);
  client_.resume(grant, now_);
  keep(client_.elapse(now_));
  EXPECT_EQ(last_.type, MessageTypeV6::renew);
  now_ = grant.t2;
  keep(client_.elapse(now_));
  EXPECT_EQ(last_.type, MessageTypeV6::rebind);
  now_ = grant.expires;
  EXPECT_EQ(keep(client_.elapse(now_)).event, LeaseEvent::lost);
  client_.resume(grant, now_);
  keep(client_.elapse(now_));
  EXPECT_EQ(last_.type, MessageTypeV6::rebind) << "the file may be older than the last renewal";
  now_ += kTimeToConfirm;
  EXPECT_EQ(keep(client_.elapse(now_)).event, LeaseEvent::lost);
}

}  // namespace
}  // namespace unicni::dhcp::client_v6_test

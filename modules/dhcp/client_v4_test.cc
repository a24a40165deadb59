#include "client_v4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "values_v4.h"

namespace unicni::dhcp::client_v4_test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

using State = ClientV4::State;
using Way = ClientV4::Way;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
Bytes four(const char* text) {
  const IpAddress address = ip(text);
  return {address.data(), address.data() + 4};
}
Bytes number(std::uint32_t value) {
  Bytes bytes;
  put32(bytes, value);
  return bytes;
}

class ClientV4Test : public testing::Test {
 protected:
  static Identity identity() {
    Identity own;
    own.mac = *Mac::parse("02:00:00:00:00:01");
    own.client_id = {0, 'c', '1'};
    own.provide[12] = {'h'};
    own.request = {1, 3, 121};
    return own;
  }
  static Patience patience(milliseconds probe = milliseconds(0)) {
    return {.first = milliseconds(500),
            .longest = milliseconds(4000),
            .longest_alone = milliseconds(60'000),
            .probe = probe};
  }

  /// What a server answers to what was sent last.
  Packet answer(MessageType type, const char* address = "10.0.0.9", std::uint32_t lease = 60) {
    Packet packet;
    packet.is_reply = true;
    packet.xid = last_.packet.xid;
    packet.chaddr = identity().mac;
    packet.set(OptionCode::message_type, {static_cast<std::uint8_t>(type)});
    packet.set(OptionCode::server, four("10.0.0.1"));
    if (type == MessageType::nak) return packet;
    packet.yiaddr = ip(address);
    packet.set(OptionCode::subnet_mask, four("255.255.255.0"));
    packet.set(OptionCode::lease_time, number(lease));
    return packet;
  }
  ClientV4::Output keep(ClientV4::Output out) {
    if (!out.sends.empty()) last_ = out.sends.back();
    return out;
  }
  ClientV4::Output receive(const Packet& packet) {
    return keep(client_.receive(packet, *Mac::parse("02:00:00:00:00:99"), now_));
  }
  /// Goes to the moment when something is due.
  ClientV4::Output wait() {
    now_ = client_.next();
    return keep(client_.elapse(now_));
  }
  [[nodiscard]] MessageType sent() const { return *last_.packet.type(); }
  [[nodiscard]] IpAddress sent_address(OptionCode code) const {
    return read_address(last_.packet.find(code)).value_or(IpAddress());
  }
  void become_bound(std::uint32_t lease = 60) {
    keep(client_.start(now_));
    receive(answer(MessageType::offer));
    ASSERT_EQ(receive(answer(MessageType::ack, "10.0.0.9", lease)).event, LeaseEvent::bound);
  }

  std::uint32_t seed_ = 7;
  Instant now_{1'000'000};
  ClientV4::Send last_;
  ClientV4 client_{identity(), patience(), [this] { return seed_ = seed_ * 1664525 + 1013904223; }};
};

TEST_F(ClientV4Test, AListOfNoOptionsIsNotSent) {
  Identity silent = identity();
  silent.request.clear();
  ClientV4 client(silent, patience(), [this] { return ++seed_; });
  const auto out = client.start(now_);
  ASSERT_EQ(out.sends.size(), 1U);
  EXPECT_EQ(out.sends[0].packet.find(OptionCode::parameter_list), nullptr);
}

TEST_F(ClientV4Test, TakesTheFirstOfferAndItsAcknowledgement) {
  const auto out = keep(client_.start(now_));
  ASSERT_EQ(out.sends.size(), 1U);
  EXPECT_EQ(sent(), MessageType::discover);
  EXPECT_EQ(last_.way, Way::everybody);
  EXPECT_EQ(last_.src, ip("0.0.0.0"));
  EXPECT_EQ(last_.dst, ip("255.255.255.255"));
  EXPECT_EQ(*last_.packet.find(OptionCode::client_id), (Bytes{0, 'c', '1'}));
  EXPECT_EQ(*last_.packet.find(OptionCode::host_name), (Bytes{'h'}));
  EXPECT_EQ(*last_.packet.find(OptionCode::parameter_list), (Bytes{1, 3, 121}));
  receive(answer(MessageType::offer));
  EXPECT_EQ(sent(), MessageType::request);
  EXPECT_EQ(sent_address(OptionCode::requested_address), ip("10.0.0.9"));
  EXPECT_EQ(sent_address(OptionCode::server), ip("10.0.0.1"));
  EXPECT_TRUE(last_.packet.ciaddr.is_unspecified());
  EXPECT_EQ(client_.grant(), nullptr);
  EXPECT_EQ(receive(answer(MessageType::ack)).event, LeaseEvent::bound);
  ASSERT_NE(client_.grant(), nullptr);
  EXPECT_EQ(client_.grant()->address.str(), "10.0.0.9/24");
  EXPECT_EQ(client_.grant()->server, ip("10.0.0.1"));
  EXPECT_EQ(client_.grant()->next_hop.str(), "02:00:00:00:00:99");
  EXPECT_EQ(client_.grant()->t1, now_ + milliseconds(30'000));
  EXPECT_EQ(client_.grant()->t2, now_ + milliseconds(53'000));
  EXPECT_EQ(client_.grant()->expires, now_ + milliseconds(60'000));
}

TEST_F(ClientV4Test, AnswersToOthersAreNotHeard) {
  keep(client_.start(now_));
  Packet offer = answer(MessageType::offer);
  ++offer.xid;
  EXPECT_TRUE(receive(offer).sends.empty());
  offer = answer(MessageType::offer);
  offer.chaddr = *Mac::parse("02:00:00:00:00:02");
  EXPECT_TRUE(receive(offer).sends.empty());
  offer = answer(MessageType::offer);
  offer.is_reply = false;
  EXPECT_TRUE(receive(offer).sends.empty());
  EXPECT_TRUE(receive(answer(MessageType::ack)).sends.empty()) << "nothing was requested";
  EXPECT_EQ(client_.state(), State::selecting);
  receive(answer(MessageType::offer));
  Packet ack = answer(MessageType::ack);
  ack.set(OptionCode::server, four("10.0.0.2"));
  EXPECT_EQ(receive(ack).event, LeaseEvent::none) << "another server than the chosen one";
}

TEST_F(ClientV4Test, AsksAgainWithGrowingPauses) {
  keep(client_.start(now_));
  const std::uint32_t xid = last_.packet.xid;
  Instant before = now_;
  for (const int pause : {500, 1000, 2000, 4000, 4000}) {
    wait();
    EXPECT_EQ(sent(), MessageType::discover);
    EXPECT_EQ(last_.packet.xid, xid);
    EXPECT_NEAR(static_cast<double>((now_ - before).count()), pause, pause / 10);
    before = now_;
  }
  EXPECT_GT(last_.packet.secs, 10);
  EXPECT_EQ(client_.seen(), "no DHCP server answered");
}

TEST_F(ClientV4Test, IsPatientWhenNobodyWaits) {
  client_.hurry(false);
  keep(client_.start(now_));
  Instant before = now_;
  for (int i = 0; i < 12; ++i) {
    before = now_;
    wait();
  }
  EXPECT_NEAR(static_cast<double>((now_ - before).count()), 60'000, 6'000);
}

TEST_F(ClientV4Test, ClientsThatBeganTogetherComeApart) {
  std::uint32_t other_seed = 8;
  ClientV4 other(identity(), patience(), [&] { return other_seed = other_seed * 69069 + 1; });
  client_.start(now_);
  other.start(now_);
  EXPECT_NE(client_.next(), other.next());
}

TEST_F(ClientV4Test, AnUnacknowledgedOfferIsGivenUp) {
  keep(client_.start(now_));
  const std::uint32_t xid = last_.packet.xid;
  receive(answer(MessageType::offer));
  for (int i = 0; i < 3; ++i) {
    wait();
    EXPECT_EQ(sent(), MessageType::request);
  }
  wait();
  wait();
  EXPECT_EQ(sent(), MessageType::discover);
  EXPECT_NE(last_.packet.xid, xid);
  EXPECT_THAT(client_.seen(), HasSubstr("10.0.0.1 offered 10.0.0.9 and did not acknowledge it"));
}

TEST_F(ClientV4Test, ARefusalBeginsAnewAndIsTold) {
  keep(client_.start(now_, ip("10.0.0.50")));
  EXPECT_EQ(sent_address(OptionCode::requested_address), ip("10.0.0.50"));
  receive(answer(MessageType::offer));
  Packet nak = answer(MessageType::nak);
  nak.set(OptionCode::message, {'n', 'o'});
  nak.set(OptionCode::server, four("10.0.0.2"));
  receive(nak);
  EXPECT_EQ(client_.seen(), "10.0.0.2 refused 10.0.0.9: no");
  wait();
  EXPECT_EQ(sent(), MessageType::discover);
  EXPECT_EQ(last_.packet.find(OptionCode::requested_address), nullptr);
  receive(answer(MessageType::offer));
  EXPECT_EQ(receive(answer(MessageType::ack)).event, LeaseEvent::bound);
}

TEST_F(ClientV4Test, RefusalsInARowDontMakeAStorm) {
  keep(client_.start(now_));
  const Instant began = now_;
  for (int i = 0; i < 20; ++i) {
    receive(answer(MessageType::offer));
    receive(answer(MessageType::nak));
    wait();
    ASSERT_EQ(sent(), MessageType::discover);
  }
  EXPECT_GT(now_ - began, milliseconds(20'000));
}

TEST_F(ClientV4Test, AnAcknowledgementWithoutMaskIsNoAddress) {
  keep(client_.start(now_));
  receive(answer(MessageType::offer));
  Packet ack = answer(MessageType::ack);
  ack.options.erase(1);
  EXPECT_EQ(receive(ack).event, LeaseEvent::none);
  EXPECT_THAT(client_.seen(), HasSubstr("DHCP option Subnet Mask not found in DHCPACK"));
  ack.set(OptionCode::subnet_mask, {0, 0, 0, 0});
  EXPECT_EQ(receive(ack).event, LeaseEvent::none);
  EXPECT_THAT(client_.seen(), HasSubstr("the subnet mask is 0.0.0.0"));
  ack.set(OptionCode::subnet_mask, {255, 0, 255, 0});
  EXPECT_EQ(receive(ack).event, LeaseEvent::none);
  EXPECT_THAT(client_.seen(), HasSubstr("the subnet mask ff00ff00 is none"));
  for (const char* address : {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"}) {
    EXPECT_EQ(receive(answer(MessageType::ack, address)).event, LeaseEvent::none) << address;
  }
  EXPECT_EQ(receive(answer(MessageType::ack, "10.0.0.9", 0)).event, LeaseEvent::none);
  EXPECT_THAT(client_.seen(), HasSubstr("the lease has no time"));
}

TEST_F(ClientV4Test, TimesOfTheServerCountIfTheyMakeSense) {
  keep(client_.start(now_));
  receive(answer(MessageType::offer));
  Packet ack = answer(MessageType::ack, "10.0.0.9", 100);
  ack.set(OptionCode::t1, number(10));
  ack.set(OptionCode::t2, number(20));
  receive(ack);
  EXPECT_EQ(client_.grant()->t1, now_ + milliseconds(10'000));
  EXPECT_EQ(client_.grant()->t2, now_ + milliseconds(20'000));
  client_.renew(now_);
  last_.packet.xid = 0;
  const auto sends = client_.elapse(client_.next());
  ASSERT_FALSE(sends.sends.empty());
  last_ = sends.sends.back();
  ack = answer(MessageType::ack, "10.0.0.9", 100);
  ack.set(OptionCode::t1, number(90));
  ack.set(OptionCode::t2, number(20));
  const Instant asked = now_;
  now_ = client_.next();
  receive(ack);
  EXPECT_EQ(client_.grant()->t2 - client_.grant()->t1, milliseconds(37'500));
  EXPECT_GE(client_.grant()->t1, asked + milliseconds(50'000));
}

TEST_F(ClientV4Test, ATimeOfZeroIsAsIfNotGivenSoRenewalsHavePauses) {
  become_bound();
  for (int i = 0; i < 3; ++i) {
    const Instant before = now_;
    wait();
    EXPECT_GE(now_ - before, milliseconds(500));
    Packet ack = answer(MessageType::ack, "10.0.0.9", 2);
    ack.set(OptionCode::t1, number(0));
    ack.set(OptionCode::t2, number(1));
    EXPECT_EQ(receive(ack).event, LeaseEvent::renewed);
    EXPECT_EQ(client_.grant()->t1, now_ + milliseconds(1000));
  }
}

TEST_F(ClientV4Test, ALeaseWithoutTimeIsAnHourAndOneForEverNeverEnds) {
  keep(client_.start(now_));
  receive(answer(MessageType::offer));
  Packet ack = answer(MessageType::ack);
  ack.options.erase(51);
  receive(ack);
  EXPECT_EQ(client_.grant()->expires, now_ + milliseconds(3'600'000));
  keep(client_.start(now_));
  receive(answer(MessageType::offer));
  receive(answer(MessageType::ack, "10.0.0.9", 0xffffffff));
  EXPECT_EQ(client_.next(), kNever);
}

TEST_F(ClientV4Test, RenewsFromItsServerAtT1) {
  become_bound();
  const Instant due = now_ + milliseconds(30'000);
  EXPECT_EQ(client_.next(), due);
  EXPECT_TRUE(client_.elapse(due - milliseconds(1)).sends.empty());
  wait();
  EXPECT_EQ(client_.state(), State::renewing);
  EXPECT_EQ(sent(), MessageType::request);
  EXPECT_EQ(last_.way, Way::server);
  EXPECT_EQ(last_.dst, ip("10.0.0.1"));
  EXPECT_EQ(last_.src, ip("10.0.0.9"));
  EXPECT_EQ(last_.packet.ciaddr, ip("10.0.0.9"));
  EXPECT_EQ(last_.packet.find(OptionCode::requested_address), nullptr);
  EXPECT_EQ(last_.packet.find(OptionCode::server), nullptr);
  EXPECT_EQ(receive(answer(MessageType::ack)).event, LeaseEvent::renewed);
  EXPECT_EQ(client_.grant()->expires, due + milliseconds(60'000));
}

TEST_F(ClientV4Test, TimesCountFromTheRequestNotFromItsAnswer) {
  become_bound();
  wait();
  const Instant asked = now_;
  now_ += milliseconds(3'000);
  receive(answer(MessageType::ack));
  EXPECT_EQ(client_.grant()->expires, asked + milliseconds(60'000));
}

TEST_F(ClientV4Test, AsksEverybodyAtT2AndLosesTheAddressAtItsEnd) {
  become_bound();
  const Instant began = now_;
  int renewals = 0;
  while (wait(), client_.state() == State::renewing) ++renewals;
  EXPECT_GE(renewals, 2);
  EXPECT_LE(renewals, 8);
  EXPECT_EQ(now_, began + milliseconds(53'000));
  EXPECT_EQ(client_.state(), State::rebinding);
  EXPECT_EQ(last_.way, Way::everybody);
  EXPECT_EQ(last_.src, ip("10.0.0.9"));
  EXPECT_EQ(last_.packet.ciaddr, ip("10.0.0.9"));
  LeaseEvent event = LeaseEvent::none;
  while (event == LeaseEvent::none) event = wait().event;
  EXPECT_EQ(event, LeaseEvent::lost);
  EXPECT_EQ(now_, began + milliseconds(60'000));
  EXPECT_EQ(client_.grant(), nullptr);
  wait();
  EXPECT_EQ(sent(), MessageType::discover);
  EXPECT_EQ(sent_address(OptionCode::requested_address), ip("10.0.0.9"));
}

TEST_F(ClientV4Test, AnotherServerMayRebind) {
  become_bound();
  while (client_.state() != State::rebinding) wait();
  Packet ack = answer(MessageType::ack);
  ack.set(OptionCode::server, four("10.0.0.2"));
  EXPECT_EQ(receive(ack).event, LeaseEvent::renewed);
  EXPECT_EQ(client_.grant()->server, ip("10.0.0.2"));
}

TEST_F(ClientV4Test, ARefusedRenewalLosesTheAddress) {
  become_bound();
  wait();
  EXPECT_EQ(receive(answer(MessageType::nak)).event, LeaseEvent::lost);
  wait();
  EXPECT_EQ(sent(), MessageType::discover);
  EXPECT_EQ(last_.packet.find(OptionCode::requested_address), nullptr);
  receive(answer(MessageType::offer, "10.0.0.10"));
  EXPECT_EQ(receive(answer(MessageType::ack, "10.0.0.10")).event, LeaseEvent::bound);
}

TEST_F(ClientV4Test, AnotherAddressAtRenewalIsAMove) {
  become_bound();
  wait();
  EXPECT_EQ(receive(answer(MessageType::ack, "10.0.0.10")).event, LeaseEvent::moved);
  EXPECT_EQ(client_.grant()->address.str(), "10.0.0.10/24");
}

TEST_F(ClientV4Test, WhoSleptThroughTheLeaseLosesItAndWhoSleptThroughT1Rebinds) {
  become_bound();
  now_ += milliseconds(55'000);
  keep(client_.elapse(now_));
  EXPECT_EQ(client_.state(), State::rebinding);
  now_ += milliseconds(55'000);
  EXPECT_EQ(client_.elapse(now_).event, LeaseEvent::lost);
}

TEST_F(ClientV4Test, OneThatIsReadFromAFileGoesOn) {
  become_bound();
  ClientV4 next(identity(), patience(), [] { return 5U; });
  next.resume(*client_.grant(), now_);
  EXPECT_EQ(next.next(), client_.next());
  EXPECT_EQ(next.elapse(next.next()).sends.size(), 1U);
  EXPECT_EQ(next.state(), State::renewing);
}

TEST_F(ClientV4Test, OneThatIsOverByItsFileIsAskedForBeforeItIsLost) {
  become_bound();
  const GrantV4 old = *client_.grant();
  now_ = old.expires + milliseconds(1);
  client_.resume(old, now_);
  keep(client_.elapse(now_));
  EXPECT_EQ(sent(), MessageType::request);
  EXPECT_EQ(last_.way, Way::everybody);
  EXPECT_EQ(last_.packet.ciaddr, ip("10.0.0.9"));
  EXPECT_EQ(receive(answer(MessageType::ack)).event, LeaseEvent::renewed);
  EXPECT_EQ(client_.grant()->expires, now_ + milliseconds(60'000));

  client_.resume(old, now_ += milliseconds(70'000));
  const Instant begun = now_;
  LeaseEvent event = LeaseEvent::none;
  while (event == LeaseEvent::none) event = wait().event;
  EXPECT_EQ(event, LeaseEvent::lost) << "nobody answered";
  EXPECT_EQ(now_, begun + kTimeToConfirm);
}

TEST_F(ClientV4Test, AnOfferThatItLeavesIsNotRequestedAndNotDeclined) {
  client_.hurry(false);
  keep(client_.start(now_));
  EXPECT_FALSE(client_.offer());
  static_cast<void>(client_.receive(answer(MessageType::offer), Mac(), now_));
  ASSERT_TRUE(client_.offer());
  EXPECT_EQ(client_.offer()->address, ip("10.0.0.9"));
  EXPECT_EQ(client_.offer()->server, ip("10.0.0.1"));
  client_.leave("it is another one's", now_);
  EXPECT_FALSE(client_.offer());
  EXPECT_EQ(client_.declines(), 0U);
  EXPECT_EQ(client_.seen(), "it is another one's");
  const Instant before = now_;
  wait();
  EXPECT_EQ(sent(), MessageType::discover);
  EXPECT_EQ(now_, before + milliseconds(60'000));
}

TEST_F(ClientV4Test, ReleasesToItsServer) {
  become_bound();
  last_ = client_.release();
  EXPECT_EQ(sent(), MessageType::release);
  EXPECT_EQ(last_.way, Way::server);
  EXPECT_EQ(last_.dst, ip("10.0.0.1"));
  EXPECT_EQ(last_.packet.ciaddr, ip("10.0.0.9"));
  EXPECT_EQ(sent_address(OptionCode::server), ip("10.0.0.1"));
  EXPECT_EQ(last_.packet.find(OptionCode::host_name), nullptr);
}

class Probing : public ClientV4Test {
 protected:
  void SetUp() override {
    client_ = ClientV4(identity(), patience(milliseconds(50)),
                       [this] { return seed_ = seed_ * 1664525 + 1013904223; });
    keep(client_.start(now_));
    receive(answer(MessageType::offer));
    const auto out = receive(answer(MessageType::ack));
    EXPECT_EQ(out.event, LeaseEvent::none);
    EXPECT_EQ(out.probe, ip("10.0.0.9"));
  }
};

TEST_F(Probing, IsBoundWhenNobodyHasAnswered) {
  EXPECT_EQ(client_.next(), now_ + milliseconds(50));
  EXPECT_EQ(client_.elapse(now_ + milliseconds(49)).event, LeaseEvent::none);
  EXPECT_EQ(wait().event, LeaseEvent::bound);
}

TEST_F(Probing, DeclinesWhatAnotherMachineUses) {
  keep(client_.conflict(now_));
  EXPECT_EQ(sent(), MessageType::decline);
  EXPECT_EQ(last_.way, Way::everybody);
  EXPECT_EQ(sent_address(OptionCode::requested_address), ip("10.0.0.9"));
  EXPECT_EQ(sent_address(OptionCode::server), ip("10.0.0.1"));
  EXPECT_EQ(client_.grant(), nullptr);
  EXPECT_EQ(client_.seen(), "10.0.0.1 gave 10.0.0.9, which another machine uses");
  const Instant before = now_;
  wait();
  EXPECT_EQ(sent(), MessageType::discover);
  EXPECT_GT(now_, before);
}

TEST_F(Probing, WhomNobodyWaitsForDeclinesFewAddresses) {
  client_.hurry(false);
  Span pause{};
  for (unsigned declines = 1; declines < 6; ++declines) {
    keep(client_.conflict(now_));
    EXPECT_EQ(client_.declines(), declines);
    pause = client_.next() - now_;
    if (declines < kMostDeclines) {
      EXPECT_LT(pause, milliseconds(1000));
    }
    wait();
    receive(answer(MessageType::offer));
    receive(answer(MessageType::ack));
  }
  EXPECT_EQ(pause, milliseconds(240'000));
  wait();
  EXPECT_EQ(client_.state(), State::bound);
  EXPECT_EQ(client_.declines(), 0U);
}

TEST_F(Probing, AnAddressThatItHasIsNotProbedAgain) {
  wait();
  wait();
  EXPECT_EQ(client_.state(), State::renewing);
  const auto out = receive(answer(MessageType::ack));
  EXPECT_EQ(out.probe, std::nullopt);
  EXPECT_EQ(out.event, LeaseEvent::renewed);
}

}  // namespace
}  // namespace unicni::dhcp::client_v4_test

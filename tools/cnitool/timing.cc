#include "timing.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <map>

namespace unicni::cnitool {
namespace {

const app::TableShape& table() {
  static const app::TableShape shape{"timing",
                                     nullptr,
                                     app::Form::rows,
                                     {{"member", "MEMBER", "string", "the plugin's type"},
                                      {"phase", "PHASE", "string", "the kind of work"},
                                      {"count", "COUNT", "integer", "how often"},
                                      {"milliseconds", "MS", "number", "how long in all"}}};
  return shape;
}

const char* word_for(Phase phase) {
  switch (phase) {
    case Phase::load:
      return "load";
    case Phase::validate:
      return "validate";
    case Phase::module:
      return "all of its work";
    case Phase::ipam:
      return "ipam";
    case Phase::netlink:
      return "netlink";
    case Phase::nft:
      return "nft";
    case Phase::program:
      return "process";
  }
  return "unknown";
}

app::Cell milliseconds(std::chrono::nanoseconds time) {
  constexpr double kNanoseconds = 1e6;
  const std::string text = fmt::format("{:.3f}", static_cast<double>(time.count()) / kNanoseconds);
  return app::Cell::json(text, text);
}

}  // namespace

void Timing::on_event(const Event& event) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    auto sum = std::find_if(sums_.begin(), sums_.end(), [&](const Sum& each) {
      return each.phase == event.phase && each.member == event.member;
    });
    if (sum == sums_.end()) {
      sums_.push_back({std::string(event.member), event.phase});
      sum = std::prev(sums_.end());
    }
    sum->time += event.duration;
    ++sum->count;
  } catch (const std::exception&) {
    std::fputs("cnitool: no memory for --timing\n", stderr);
  }
}

std::vector<Timing::Sum> Timing::sorted() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::size_t> order;
  for (const Sum& sum : sums_) order.emplace(sum.member, order.size());
  std::vector<Sum> sums = sums_;
  std::stable_sort(sums.begin(), sums.end(), [&](const Sum& a, const Sum& b) {
    return std::pair(order.at(a.member), a.phase) < std::pair(order.at(b.member), b.phase);
  });
  return sums;
}

app::Report Timing::report(std::chrono::nanoseconds all) const {
  using app::Cell;
  app::Report report;
  report.add_table(table());
  for (const Sum& sum : sorted()) {
    report.add_row({sum.member.empty() ? Cell() : Cell::text(sum.member),
                    Cell::text(word_for(sum.phase)),
                    Cell::number(static_cast<std::int64_t>(sum.count)), milliseconds(sum.time)});
  }
  report.add_row({Cell(), Cell::text("the whole verb"), Cell::number(1), milliseconds(all)});
  return report;
}

}  // namespace unicni::cnitool

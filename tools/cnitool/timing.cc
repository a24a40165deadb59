#include "timing.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <map>
#include <utility>

namespace unicni::cnitool {
namespace {

const app::TableShape& table() {
  static const app::TableShape shape{"timing",
                                     nullptr,
                                     app::Form::rows,
                                     {{"place", "PLACE", "integer", "of the member in the list"},
                                      {"member", "MEMBER", "string", "the plugin's type"},
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
      return each.phase == event.phase && each.member == event.member && each.place == event.place;
    });
    if (sum == sums_.end()) {
      sums_.push_back({event.place, std::string(event.member), event.phase});
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
  std::map<std::pair<std::optional<std::size_t>, std::string>, std::size_t> order;
  for (const Sum& sum : sums_) order.emplace(std::pair(sum.place, sum.member), order.size());
  const auto turn_of = [&](const Sum& sum) { return order.at({sum.place, sum.member}); };
  std::vector<Sum> sums = sums_;
  std::stable_sort(sums.begin(), sums.end(), [&](const Sum& a, const Sum& b) {
    return std::pair(turn_of(a), a.phase) < std::pair(turn_of(b), b.phase);
  });
  return sums;
}

app::Report Timing::report(std::chrono::nanoseconds all) const {
  using app::Cell;
  app::Report report;
  report.add_table(table());
  for (const Sum& sum : sorted()) {
    report.add_row({sum.place ? Cell::number(static_cast<std::int64_t>(*sum.place + 1)) : Cell(),
                    sum.member.empty() ? Cell() : Cell::text(sum.member),
                    Cell::text(word_for(sum.phase)),
                    Cell::number(static_cast<std::int64_t>(sum.count)), milliseconds(sum.time)});
  }
  report.add_row(
      {Cell(), Cell(), Cell::text("the whole verb"), Cell::number(1), milliseconds(all)});
  return report;
}

}  // namespace unicni::cnitool

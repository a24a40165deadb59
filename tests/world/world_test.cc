// Random lives of whole hosts. A seed makes networks, containers and a sequence of what happens to
// them (generator.cc); a small model says what must hold after each step (world.cc, look.cc,
// traffic_expected.cc). A sequence that breaks is shrunk and printed as a script.
//
//   UNICNI_WORLD_SEED=N      plays that seed alone (test World.OfTheSeedGiven)
//   UNICNI_WORLD_SECONDS=N   plays new seeds for so long (World.OfNewSeeds); says the first, from
//                            the clock unless UNICNI_WORLD_FIRST is given; goes on past failures
//   UNICNI_WORLD_SHRINK=N    seconds that shrinking may take, 120 if not given
//   UNICNI_WORLD_SCRIPTS=F   folder for the scripts of what fails
//   world_test --kill-at=K PROGRAM   runs a plugin and kills it before its K-th step; for scripts
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

#include "support/tracer.h"
#include "world/generator.h"
#include "world/shrink.h"

namespace unicni::test::world {
namespace {

using Clock = std::chrono::steady_clock;

/// In each run; together they take less than a minute and do everything that steps can do.
constexpr unsigned kFixedSeeds[] = {1, 2, 3, 4, 5, 6};

unsigned long number_of(const char* variable, unsigned long fallback) {
  const char* given = std::getenv(variable);
  return given != nullptr && *given != '\0' ? std::strtoul(given, nullptr, 10) : fallback;
}

/// Seeds that failed once: "<seed> <a sentence>" a line.
std::vector<unsigned> kept_seeds() {
  std::vector<unsigned> seeds;
  std::ifstream file(UNICNI_KEPT_SEEDS);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') {
      seeds.push_back(static_cast<unsigned>(std::stoul(line)));
    }
  }
  return seeds;
}

void report(unsigned seed, const Scenario& scenario, const Verdict& verdict) {
  const auto time = std::chrono::seconds(number_of("UNICNI_WORLD_SHRINK", 120));
  const Shrunk shrunk = shrink(scenario, verdict, time);
  std::ostringstream text;
  text << "seed " << seed << ": " << verdict.kind << " (shrunk from " << scenario.steps.size()
       << " to " << shrunk.scenario.steps.size() << " steps in " << shrunk.replays
       << " replays)\n";
  std::istringstream lines(shrunk.verdict.text);
  std::ostringstream commented;
  commented << "# seed " << seed << ", " << shrunk.verdict.kind << '\n';
  for (std::string line; std::getline(lines, line);) commented << "# " << line << '\n';
  std::string script = shrunk.verdict.script;
  script.insert(script.find('\n') + 1, commented.str());
  script += "# here: " + shrunk.verdict.kind + "\nshow\n";
  if (const char* folder = std::getenv("UNICNI_WORLD_SCRIPTS")) {
    std::ofstream(std::string(folder) + "/seed-" + std::to_string(seed) + ".sh") << script;
  }
  ADD_FAILURE() << text.str() << shrunk.verdict.text << "\n----\n" << script << "----";
}

bool holds(unsigned seed) {
  const Scenario scenario = generate(seed);
  const auto start = Clock::now();
  const Verdict verdict = play(scenario);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
  std::cout << "seed " << seed << ", " << scenario.steps.size() << " steps, " << took.count()
            << " ms: " << (verdict.broken ? verdict.kind + ", step " + std::to_string(verdict.step) + ": " + verdict.text : "holds") << std::endl;
  if (verdict.broken && number_of("UNICNI_WORLD_SHRINK", 120) > 0) {
    report(seed, scenario, verdict);
  } else if (verdict.broken) {
    ADD_FAILURE() << "seed " << seed << ": " << verdict.kind;
  }
  return !verdict.broken;
}

class Fixed : public ::testing::TestWithParam<unsigned> {};
TEST_P(Fixed, Holds) { holds(GetParam()); }
INSTANTIATE_TEST_SUITE_P(World, Fixed, ::testing::ValuesIn(kFixedSeeds));

TEST(World, OfSeedsThatFailedOnce) {
  for (const unsigned seed : kept_seeds()) holds(seed);
}

TEST(World, OfTheSeedGiven) {
  if (const auto seed = number_of("UNICNI_WORLD_SEED", 0); seed != 0) {
    holds(static_cast<unsigned>(seed));
  }
}

TEST(World, OfNewSeeds) {
  const auto end = Clock::now() + std::chrono::seconds(number_of("UNICNI_WORLD_SECONDS", 0));
  const auto clock = std::chrono::system_clock::now().time_since_epoch().count();
  auto seed = static_cast<unsigned>(
      number_of("UNICNI_WORLD_FIRST", static_cast<unsigned long>(clock / 1'000'000 % 1'000'000'000)));
  for (; Clock::now() < end; ++seed) holds(seed);
}

int run_and_kill(int step, char** argv) {
  Spawn spawn;
  for (char** word = argv; *word != nullptr; ++word) spawn.argv.emplace_back(*word);
  for (char** entry = environ; *entry != nullptr; ++entry) spawn.env.emplace_back(*entry);
  spawn.in = std::string(std::istreambuf_iterator<char>(std::cin), {});
  const Output output = kill_at(spawn, step).output;
  std::cout << output.out;
  std::cerr << output.err;
  return output.signal != 0 ? 128 + output.signal : output.status;
}

}  // namespace
}  // namespace unicni::test::world

int main(int argc, char** argv) {
  constexpr std::string_view kKillAt = "--kill-at=";
  if (argc > 2 && std::string_view(argv[1]).starts_with(kKillAt)) {
    return unicni::test::world::run_and_kill(std::atoi(argv[1] + kKillAt.size()), argv + 2);
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

#include "world/play.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <stdexcept>

#include "world/model.h"
#include "world/world.h"

namespace unicni::test::world {
namespace {

constexpr unsigned kLongest = 150;  // seconds of one scenario

}  // namespace

Verdict play(const Scenario& scenario) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  std::cout.flush();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::alarm(kLongest);
    Json told = Json::object();
    int step = -1;
    try {
      World world(scenario);
      try {
        world.play();
      } catch (const Broken& broken) {
        told = {{"kind", broken.kind()}, {"text", broken.what()}};
      }
      step = world.step();
      if (told.empty() && ::testing::Test::HasFailure()) {
        told = {{"kind", "tool"}, {"text", "a tool of the test failed, see above"}};
      }
      told["script"] = Host::script_head() + world.host().script();
    } catch (const std::exception& error) {
      told = {{"kind", "test"}, {"text", std::string("the test itself: ") + error.what()}};
    }
    told["step"] = step;
    const std::string text = told.dump();
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t written = ::write(pipe[1], text.data() + done, text.size() - done);
      if (written <= 0) break;
      done += static_cast<std::size_t>(written);
    }
    std::cout.flush();
    ::_exit(0);
  }
  ::close(pipe[1]);
  std::string text;
  char buffer[16384];
  for (ssize_t got = 0; (got = ::read(pipe[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(pipe[0]);
  int state = 0;
  ::waitpid(pid, &state, 0);
  const Json told = Json::parse(text, nullptr, false);
  if (!told.is_object()) {
    return {true, "hung", "the run took longer than it may, or crashed", 0, ""};
  }
  return {told.contains("kind"), told.value("kind", ""), told.value("text", ""),
          told.value("step", -1), told.value("script", "")};
}

}  // namespace unicni::test::world

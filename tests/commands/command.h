// The programs for people, run from the stage.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/attachment.h"
#include "support/process.h"

namespace unicni::test {

/// `$UNICNI_STAGE/bin/<program>` with these arguments; `env` is the whole environment but for PATH.
inline Output command(const std::string& program, std::vector<std::string> arguments,
                      std::vector<std::string> env = {}) {
  arguments.insert(arguments.begin(), stage() + "/bin/" + program);
  EXPECT_TRUE(exists(arguments.front())) << arguments.front();
  env.emplace_back("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
  return run({.argv = std::move(arguments), .env = std::move(env)});
}

}  // namespace unicni::test

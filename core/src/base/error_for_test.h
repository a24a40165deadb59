// The Errors that tests expect.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "unicni/error.h"

namespace unicni {

/// Runs `work` and returns the Error that it must throw.
template <class Work>
Error error_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {Code::internal, "nothing was thrown"};
}

/// Runs `work`, which may refuse: the text of its Error, which must have that code; "": none.
template <class Work>
std::string refusal_of(const Work& work, Code code = Code::invalid_config) {
  try {
    work();
    return {};
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(code)) << error.code() << ": " << error.msg();
    return error.msg();
  }
}

}  // namespace unicni

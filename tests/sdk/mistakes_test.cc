// What authors do wrong is refused before anything of the module runs, and the text says what to
// do instead.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "sdk/author.h"

namespace unicni::test::mistakes_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Mistakes : public ::testing::Test {
 protected:
  Output check(const std::string& type) {
    fs::remove(author_.bin() + '/' + type);
    fs::create_symlink("unicni", author_.bin() + '/' + type);
    const Attachment job = author_.attachment(
        container_, R"({"cniVersion": "1.0.0", "name": "net", "type": ")" + type + "\"}");
    return job.check(Json::parse(R"({"cniVersion": "1.0.0", "ips": []})"));
  }
  void expect_refused(const std::string& type, const std::string& msg, const std::string& details) {
    const Json error = expect_error(check(type), 999);
    EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr(msg)) << type;
    EXPECT_THAT(error["details"].get<std::string>(), HasSubstr(details)) << type;
  }
  void expect_serves(const std::string& type) {
    EXPECT_EQ(expect_error(check(type), 999)["msg"], type + ": thrown by " + type);
  }

  Sandbox sandbox_;
  Container container_{"c1"};
  Author author_;
};

TEST_F(Mistakes, AreRefusedWithWordsThatSayWhatToDo) {
  author_.build(UNICNI_SDK "/mistakes");
  expect_serves("no-mistake");
  expect_serves("says-static");

  const std::string no_library = "link the module without one, as unicni_add_module() does";
  expect_refused("has-libstdcxx", "it brings its own C++ library, libstdc++.so.6", no_library);
  expect_refused("has-a-library",
                 "it brings its own C++ library, libstdc++.so.6: has-a-library.so needs libfmt",
                 "other libraries in C++ from archives");
  for (const char* type : {"holds-libstdcxx", "holds-libstdcxx-only"}) {
    expect_refused(type, "it holds a C++ library of its own, linked in from an archive",
                   no_library);
  }
  expect_refused("forgets-a-source",
                 "undefined symbol: _ZN8mistakes20text_of_another_fileB5cxx11Ev",
                 "link the module with");
  expect_refused("is-of-tomorrow", "it is built for module interface 3, this unicni takes 2",
                 "rebuild the module");

  fs::permissions(author_.module("no-mistake"), fs::perms::others_write, fs::perm_options::add);
  expect_refused("no-mistake", "so others than its owner can write it", "chmod go-w");
}

}  // namespace
}  // namespace unicni::test::mistakes_test

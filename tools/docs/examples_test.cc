// The examples that the modules' pages show, held against the tables that the pages are made of.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "document/chain.h"
#include "document/document.h"
#include "document/source.h"
#include "document/yaml.h"
#include "modules.h"
#include "protocol/document.h"
#include "protocol/network_list.h"
#include "unicni/module.h"
#include "unicni/sys/file.h"

namespace unicni::docs::examples_test {
namespace {

std::vector<document::TypeOptions> all_types() {
  std::vector<document::TypeOptions> types;
  for (const ModuleDescriptor* module : list_modules()) {
    types.push_back({module->name, module->kind == ModuleKind::ipam, module->options});
  }
  return types;
}

void expect_clean(const document::Document& document, const std::string& text) {
  const std::string name = protocol::parse_list(text, document.file).name;
  const document::TypedChain chain = document::type_chain(document, name, all_types());
  for (const document::Finding& finding : chain.findings) {
    ADD_FAILURE() << finding.line(document.file);
  }
  EXPECT_EQ(protocol::parse_document(chain.json, document.file),
            protocol::parse_document(text, document.file));
}

TEST(Examples, AreChainsInWhichNothingIsWrongAsJsonAndAsYaml) {
  int count = 0;
  for (const char* folder : {"modules", "config/examples"}) {
    const auto root = std::filesystem::path(UNICNI_SOURCE_DIR) / folder;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.path().extension() != ".conflist") continue;
      const std::string text = sys::read_file(entry.path()).value();
      const std::string file = entry.path().string();
      expect_clean(document::read_json_only(text, file), text);
      const document::Source source(file, text);
      expect_clean({file, document::Syntax::yaml, document::read_yaml(source)}, text);
      ++count;
    }
  }
  EXPECT_GE(count, 18);
}

}  // namespace
}  // namespace unicni::docs::examples_test

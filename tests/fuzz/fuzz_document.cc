// Files that people write for us: YAML, JSON, JSON with comments. Nothing but an Error may come
// out. What is a tree keeps to the limits and becomes JSON that protocol reads; JSON without
// comments that both readers take is one tree; and what is no chain is refused without harm.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document/chain.h"
#include "document/document.h"
#include "document/json.h"
#include "document/source.h"
#include "document/typed.h"
#include "document/yaml.h"
#include "protocol/document.h"
#include "unicni/error.h"

namespace {

namespace document = unicni::document;

// A row of each kind.
struct Everything {
  bool flag = false;
  std::int64_t number = 0;
  std::string text;
  std::optional<unicni::IpAddress> ip;
  std::vector<std::vector<std::string>> words;
  std::vector<unicni::Route> routes;
  unicni::TextMap settings;
  unicni::JsonObject anything;
};
constexpr unicni::Option kRows[] = {
    unicni::option<&Everything::flag>("flag", "boolean"),
    unicni::option<&Everything::number>("number", "integer").with_range(0, 65535),
    unicni::option<&Everything::text>("text", "string"),
    unicni::option<&Everything::ip>("ip", "ip"),
    unicni::option<&Everything::words>("words", "list of lists"),
    unicni::option<&Everything::routes>("routes", "list of objects"),
    unicni::option<&Everything::settings>("settings", "texts"),
    unicni::option<&Everything::anything>("anything", "free"),
};
constexpr unicni::OptionTable kTable = unicni::option_table<Everything>(kRows);

template <class Read>
document::NodePtr tree_of(const Read& read) {
  try {
    return read();
  } catch (const document::Refusal&) {
    return nullptr;
  }
}

void require(bool condition) {
  if (!condition) std::abort();
}

void try_tree(const document::NodePtr& root, document::Syntax syntax) {
  require(root->nodes <= document::kNodeLimit && root->depth <= document::kDepthLimit);
  std::vector<document::Finding> findings;
  document::TypedWriter writer(syntax, findings);
  require(!unicni::protocol::find_fault(writer.free(*root)));
  const document::Document whole{"file", syntax, root};
  const std::vector<document::TypeOptions> types = {{"a", false, &kTable}, {"a", true, &kTable}};
  document::types_in(whole);
  document::type_chain(whole, "net", types);
  try {
    document::read_chain(whole, "net", types);
  } catch (const unicni::Error& error) {
    require(error.is(unicni::Code::invalid_config) || error.is(unicni::Code::decode));
  }
  if (root->kind != document::Kind::map) return;
  const std::string json = writer.object(kTable, unicni::OptionSource::config,
                                         unicni::options::Neighbours::none, *root, "");
  require(!unicni::protocol::find_fault(json));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  tree_of([&] { return document::read(text, "file").root; });
  const auto source = [&] { return document::Source("file", text); };
  const document::NodePtr as_json = tree_of([&] { return document::read_json(source()); });
  const document::NodePtr as_yaml = tree_of([&] { return document::read_yaml(source()); });
  if (as_json != nullptr) try_tree(as_json, document::Syntax::json);
  if (as_yaml != nullptr) try_tree(as_yaml, document::Syntax::yaml);
  // Comments of JSON are texts or keys in YAML.
  if (as_json == nullptr || as_yaml == nullptr || unicni::protocol::find_fault(text)) return 0;
  require(*as_json == *as_yaml);
  return 0;
}

// cnitool gc.
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "journal/folder.h"
#include "network_verb.h"
#include "protocol/cache_folder.h"
#include "protocol/document.h"
#include "protocol/name.h"
#include "protocol/version.h"
#include "runtime/stale.h"
#include "unicni/error.h"
#include "unicni/nearest.h"
#include "verbs.h"

namespace unicni::cnitool {
namespace {

using app::Cell;

const app::TableShape& table() {
  static const app::TableShape shape{
      "stale",
      nullptr,
      app::Form::rows,
      {{"container_id", "CONTAINER", "string", "the container's id"},
       {"ifname", "INTERFACE", "string", "the interface in the container"},
       {"netns", "NAMESPACE", "string", "path of the network namespace that its ADD saw"},
       {"netns_exists", "IT EXISTS", "boolean", "whether something is at that path"}}};
  return shape;
}

/// Neither a container's id nor an interface's name has a colon in it.
Attachment kept(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string id = text.substr(0, colon);
  const std::string if_name = colon == std::string::npos ? "" : text.substr(colon + 1);
  std::optional<std::string> problem = protocol::refuse_if_name(if_name);
  if (colon == std::string::npos) problem = "there is no colon";
  if (!protocol::valid_name(id))
    problem = fmt::format("no container's id is {}", protocol::quote(id));
  if (!problem) return {id, if_name};
  throw Error(Code::invalid_environment,
              fmt::format("--keep is no ID:IFNAME: {} ({})", protocol::quote(text), *problem),
              "name the container's id and its interface, as in --keep 3f2a:eth0; several have "
              "a --keep each");
}

bool exists(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0;
}

class Gc final : public NetworkVerb {
 public:
  void declare(app::Options& options) override {
    NetworkVerb::declare(options);
    options.values(keep_, "--keep", "ID:IFNAME",
                   "An attachment that lives, of the container with this id; may be given several "
                   "times; one that isn't there is an error, and nothing is deleted");
    options.flag(is_sure_, "--yes",
                 "Delete all attachments if none is to be kept; what is to be kept need not be "
                 "there");
    options.flag(is_dry_, "--dry-run", "Only list what would be deleted");
  }

 private:
  app::ExitStatus act(const Call& call) override {
    std::vector<Attachment> valid;
    for (const std::string& text : keep_) valid.push_back(kept(text));
    if (!is_sure_) require_known(call, valid);
    if (call.network.disable_gc()) {
      call.output.warn("the network says disableGC, so nothing is deleted");
      return app::ExitStatus::done;
    }
    if (is_dry_ || (keep_.empty() && !is_sure_)) {
      list(call, valid);
      if (is_dry_) return app::ExitStatus::done;
      call.output.say("nothing was deleted: say what lives (--keep), or that nothing does (--yes)");
      return app::ExitStatus::failed;
    }
    // What was there, as nobody can say afterwards what is gone.
    const auto gone = call.output.is_json() ? std::optional(stale(call, valid)) : std::nullopt;
    call.runtime.gc(call.network, valid);
    if (gone) call.output.put(*gone);
    return app::ExitStatus::done;
  }

  /// One that is misspelt would be deleted.
  static void require_known(const Call& call, const std::vector<Attachment>& valid) {
    const std::string& network = call.network.name();
    const runtime::StaleCache cached = runtime::find_stale(cache(), network, {});
    std::vector<std::string> known;
    for (const protocol::CacheEntry& entry : cached.attachments)
      known.push_back(text_of(entry.key));
    // Other runtimes may keep no cache.
    for (const AttachmentKey& key : recorded(network)) known.push_back(text_of(key));
    for (const Attachment& each : valid) {
      const AttachmentKey key{network, each.container_id, each.if_name};
      const std::string text = text_of(key);
      const bool has_broken_entry = std::any_of(
          cached.broken.begin(), cached.broken.end(), [&](const protocol::CacheFile& file) {
            return file.name == protocol::cache_file_name(key);
          });
      if (has_broken_entry || std::find(known.begin(), known.end(), text) != known.end()) continue;
      const std::string nearest = options::nearest_key(text, {known.begin(), known.end()});
      throw Error(
          Code::invalid_environment,
          fmt::format("nothing was deleted: {} has no attachment {} to keep", network, text),
          nearest.empty() ? "--dry-run lists what there is; with --yes it doesn't matter"
                          : fmt::format("did you mean {}? With --yes it doesn't matter", nearest));
    }
  }

  /// What gc() would delete, no more and no less: what the cache has, and what the plugins, where
  /// they are called, find in the journals.
  static app::Report stale(const Call& call, const std::vector<Attachment>& kept) {
    const std::string& network = call.network.name();
    const ValidAttachments valid(kept);
    const runtime::StaleCache cached = runtime::find_stale(cache(), network, valid);
    app::Report report;
    report.add_table(table());
    const auto add = [&](const AttachmentKey& key, const std::string& netns) {
      report.add_row({Cell::text(key.container_id), Cell::text(key.if_name), Cell::text(netns),
                      Cell::flag(exists(netns))});
    };
    for (const protocol::CacheEntry& entry : cached.attachments) add(entry.key, entry.netns);
    if (protocol::at_least(call.network.cni_version(), protocol::SpecVersion::v1_1_0) == true) {
      for (const AttachmentKey& key : recorded(network)) {
        const bool is_told =
            std::any_of(cached.attachments.begin(), cached.attachments.end(),
                        [&](const protocol::CacheEntry& entry) { return entry.key == key; });
        if (is_told || valid.contains(key.of_network())) continue;
        const auto entry = journal::peek(Folders().journals(), key);
        add(key, entry ? entry->netns_path : "");
      }
    }
    return report;
  }

  static void list(const Call& call, const std::vector<Attachment>& kept) {
    const auto cached = runtime::find_stale(cache(), call.network.name(), ValidAttachments(kept));
    for (const protocol::CacheFile& file : cached.broken) {
      call.output.warn(fmt::format("the broken cache entry {} would be removed: {}", file.name,
                                   file.content.problem->msg()));
    }
    call.output.put(stale(call, kept));
  }

  static protocol::CacheFolder cache() { return protocol::CacheFolder(Folders().cni_state); }
  static std::vector<AttachmentKey> recorded(const std::string& network) {
    auto keys = journal::list_keys(Folders().journals(), network);
    std::sort(keys.begin(), keys.end(),
              [](const auto& a, const auto& b) { return a.owner() < b.owner(); });
    return keys;
  }
  static std::string text_of(const AttachmentKey& key) {
    return key.container_id + ':' + key.if_name;
  }

  std::vector<std::string> keep_;
  bool is_sure_ = false;
  bool is_dry_ = false;
};

}  // namespace

app::VerbText gc_verb() {
  return {
      "gc",
      "Delete a network's attachments but those that live",
      "Attachments that the cache has of this network get a del; then, from version 1.1.0 of "
      "the spec on, the plugins are told which ones live and delete all others, also those "
      "of other runtimes. Without --keep and --yes nothing is deleted: what would be is "
      "listed, and the status is 1. The list has what the cache and unicni's journals know, also "
      "where the cache's entry is broken. The reference's cnitool deletes all without a question.",
      "CNI_PATH=/opt/cni/bin cnitool gc mynet /run/netns/blue\n"
      "CNI_PATH=/opt/cni/bin cnitool gc mynet /run/netns/blue --keep 3f2a:eth0 --keep 77b1:eth0\n"
      "CNI_PATH=/opt/cni/bin cnitool gc mynet /run/netns/blue --yes",
      {&table()},
      app::make_verb<Gc>,
      app::ExitStatus::failed};
}

}  // namespace unicni::cnitool

// cnitool gc.
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>

#include "journal/folder.h"
#include "network_verb.h"
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

/// No container id has a colon in it.
Attachment kept(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) {
    throw Error(Code::invalid_environment, "--keep is no ID:IFNAME: " + text,
                "name the container's id and its interface, as in --keep 3f2a:eth0");
  }
  return {text.substr(0, colon), text.substr(colon + 1)};
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
    call.runtime.gc(call.network, valid);
    return app::ExitStatus::done;
  }

  /// One that is misspelt would be deleted.
  static void require_known(const Call& call, const std::vector<Attachment>& valid) {
    std::vector<std::string> known;
    const auto add = [&](const AttachmentKey& key) {
      if (key.network == call.network.name()) known.push_back(key.container_id + ':' + key.if_name);
    };
    for (const CachedAttachment& cached : call.runtime.attachments()) add(cached.key);
    // Other runtimes may keep no cache.
    for (const AttachmentKey& key : journal::list_keys(Folders().journals(), call.network.name())) {
      add(key);
    }
    for (const Attachment& each : valid) {
      const std::string text = each.container_id + ':' + each.if_name;
      if (std::find(known.begin(), known.end(), text) != known.end()) continue;
      const std::string nearest = options::nearest_key(text, {known.begin(), known.end()});
      throw Error(Code::invalid_environment,
                  fmt::format("nothing was deleted: {} has no attachment {} to keep",
                              call.network.name(), text),
                  nearest.empty()
                      ? "--dry-run lists what there is; with --yes it doesn't matter"
                      : fmt::format("did you mean {}? With --yes it doesn't matter", nearest));
    }
  }

  static void list(const Call& call, const std::vector<Attachment>& valid) {
    app::Report report;
    report.add_table(table());
    for (const CachedAttachment& cached : call.runtime.attachments()) {
      if (cached.key.network != call.network.name()) continue;
      if (std::find(valid.begin(), valid.end(), cached.key.of_network()) != valid.end()) continue;
      report.add_row({Cell::text(cached.key.container_id), Cell::text(cached.key.if_name),
                      Cell::text(cached.netns), Cell::flag(exists(cached.netns))});
    }
    call.output.put(report);
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
      "listed, and the status is 1. The reference's cnitool deletes all without a question.",
      "CNI_PATH=/opt/cni/bin cnitool gc mynet /run/netns/blue\n"
      "CNI_PATH=/opt/cni/bin cnitool gc mynet /run/netns/blue --keep 3f2a:eth0 --keep 77b1:eth0\n"
      "CNI_PATH=/opt/cni/bin cnitool gc mynet /run/netns/blue --yes",
      {&table()},
      app::make_verb<Gc>,
      app::ExitStatus::failed};
}

}  // namespace unicni::cnitool

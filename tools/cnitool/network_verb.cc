#include "network_verb.h"

#include <chrono>

#include "base/shell_word.h"
#include "environment.h"
#include "interruption.h"
#include "log.h"
#include "runtime_options.h"
#include "timing.h"

namespace unicni::cnitool {

void NetworkVerb::declare(app::Options& options) {
  options.value(if_name_, "-i,--ifname", "NAME",
                "The interface in the container; without it CNI_IFNAME, else eth0");
  options.value(container_id_, "--container-id", "ID",
                "The container's id; without it one that is made of the namespace's path");
  options.flag(is_timed_, "--timing",
               "Say on stderr how long each member took, and with --in-process at what");
  options.flag(is_in_process_, "--in-process", "Run the modules of unicni in cnitool itself");
  options.flag(
      is_exec_, "--exec",
      "Run each plugin as a process, as runtimes do; this is usual. Where there are "
      "policies, the list is one process, whose plugins know of each other: `unictl explain "
      "NET` says what a runtime gets that calls each by itself");
  options.exclude("--in-process", "--exec");
  options.operand(network_, "NETWORK",
                  "The network's name in a file of NETCONFPATH, or a file's path, with a /");
  if (needs_netns()) {
    options.operand(netns_, "NETNS", "The network namespace's path, as /run/netns/blue");
  } else {
    options.optional_operand(netns_, "NETNS", "The network namespace's path; it isn't needed");
  }
  options.ignore_more_operands();
}

app::ExitStatus NetworkVerb::run(app::Output& output) {
  Log log(output);
  Timing timing;
  const Isolation isolation = is_in_process_ ? Isolation::in_process : Isolation::process;
  RuntimeOptions options = runtime_options(isolation);
  options.log = &log;
  options.observer = is_timed_ ? &timing : nullptr;
  const Runtime runtime(options);
  const NetworkConfig network = find_network(runtime, network_);
  for (const std::string& warning : network.warnings()) output.warn(warning);

  RuntimeConf conf;
  conf.capability_args = capability_args();
  conf.args = args();
  conf.if_name = if_name(if_name_);
  conf.netns = absolute(netns_);
  conf.container_id = container_id_.empty() ? container_id_of(netns_) : container_id_;
  require_plugins(network);

  const auto start = std::chrono::steady_clock::now();
  const auto tell = [&] {
    if (!is_timed_) return;
    if (isolation == Isolation::process) {
      output.say(
          "each plugin is a process, of which only the whole time is known (--in-process "
          "tells more)");
    }
    output.put_aside(timing.report(std::chrono::steady_clock::now() - start));
  };
  try {
    const Call call{runtime, network, conf, output};
    const Interruption interruption(output, "interrupted: " + left_by_interruption(call));
    const app::ExitStatus status = act(call);
    tell();
    return status;
  } catch (const Error&) {
    tell();
    throw;
  }
}

std::string NetworkVerb::del_command() const {
  std::string command = "cnitool del";
  if (!container_id_.empty()) command += " --container-id " + shell_word(container_id_);
  if (!if_name_.empty()) command += " -i " + shell_word(if_name_);
  return command + ' ' + shell_word(network_) + ' ' + shell_word(netns_);
}

NetworkConfig find_network(const Runtime& runtime, const std::string& network) {
  if (network.find('/') == std::string::npos) return runtime.get_network(network);
  return Runtime::get_network_file(absolute(network));
}

const app::TableShape& attachment_table() {
  static const app::TableShape shape{
      "attachment",
      nullptr,
      app::Form::record,
      {{"network", "NETWORK", "string", "the network's name"},
       {"container_id", "CONTAINER", "string", "the container's id"},
       {"ifname", "INTERFACE", "string", "the interface in the container"},
       {"netns", "NAMESPACE", "string", "path of the network namespace"},
       {"cni_version", "VERSION", "string", "version of the CNI spec that plugins are called by"},
       {"plugins", "PLUGINS", "array of strings", "types of the plugins, in the order of ADD"}}};
  return shape;
}

void put_attachment(const app::Output& output, const NetworkConfig& network,
                    const RuntimeConf& conf) {
  using app::Cell;
  app::Report report;
  report.add_table(attachment_table());
  report.add_row({Cell::text(network.name()), Cell::text(conf.container_id),
                  Cell::text(conf.if_name), Cell::text(conf.netns),
                  Cell::text(network.cni_version()), Cell::list(network.types())});
  output.put(report);
}

}  // namespace unicni::cnitool

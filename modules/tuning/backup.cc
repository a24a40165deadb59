#include "backup.h"

#include <fmt/core.h>

#include <vector>

#include "unicni/options.h"
#include "unicni/sys/file.h"

namespace unicni::tuning {

namespace {

struct File {
  std::optional<Mac> mac;
  std::optional<bool> promisc;
  std::optional<std::int64_t> mtu;
  std::optional<bool> allmulti;
  std::optional<std::int64_t> tx_queue_len;
  std::string network;
  std::string container_id;
  std::string if_name;
};

constexpr Option kRows[] = {
    option<&File::mac>("mac", "before ADD, as the next four"),
    option<&File::promisc>("promisc", ""),
    option<&File::mtu>("mtu", "").with_range(0, 4294967295),
    option<&File::allmulti>("allmulti", ""),
    option<&File::tx_queue_len>("txQLen", "").with_range(0, 4294967295),
    option<&File::network>("network", "whose it is, as the next two"),
    option<&File::container_id>("containerID", ""),
    option<&File::if_name>("ifname", ""),
};
constinit const OptionTable kFile = option_table<File>(kRows);

std::optional<std::uint32_t> narrow(std::optional<std::int64_t> number) {
  if (!number) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

}  // namespace

std::string backup_path(const Call& call, const std::string& data_dir) {
  return fmt::format("{}/{}_{}.json", data_dir, call.key.container_id, call.key.if_name);
}

std::optional<Backup> read_backup(const std::string& path) {
  const auto text = sys::read_file(path, sys::kFileLimit, sys::Links::refuse);
  File file;
  if (!text || !read_json_object(*text, kFile, &file)) return std::nullopt;
  Backup backup;
  backup.before.mac = file.mac;
  backup.before.promisc = file.promisc;
  backup.before.mtu = narrow(file.mtu);
  backup.before.allmulti = file.allmulti;
  backup.before.tx_queue_len = narrow(file.tx_queue_len);
  backup.network = file.network;
  backup.container_id = file.container_id;
  backup.if_name = file.if_name;
  return backup;
}

std::string print_backup(const Call& call, const net::LinkChange& before) {
  std::vector<std::string> lines;
  if (before.mac) lines.push_back(fmt::format("\"mac\": \"{}\"", before.mac->str()));
  if (before.promisc) lines.push_back(fmt::format("\"promisc\": {}", *before.promisc));
  if (before.mtu) lines.push_back(fmt::format("\"mtu\": {}", *before.mtu));
  if (before.allmulti) lines.push_back(fmt::format("\"allmulti\": {}", *before.allmulti));
  if (before.tx_queue_len) lines.push_back(fmt::format("\"txQLen\": {}", *before.tx_queue_len));
  lines.push_back(fmt::format("\"network\": \"{}\"", call.key.network));
  lines.push_back(fmt::format("\"containerID\": \"{}\"", call.key.container_id));
  lines.push_back("\"ifname\": " + json_text(call.key.if_name));
  std::string text = "{";
  for (const std::string& line : lines) {
    text += fmt::format("{}\n {}", text.size() > 1 ? "," : "", line);
  }
  return text + "\n}";
}

}  // namespace unicni::tuning

#include "world/sight.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace unicni::test::world {
namespace {

namespace fs = std::filesystem;

/// "network/container/ifname", as in comments and aliases; nothing if it isn't that.
void put_owner(Sight& sight, const std::string& text, char separator, const std::string& what) {
  const auto first = text.find(separator);
  const auto second = first == text.npos ? first : text.find(separator, first + 1);
  if (second == text.npos || text.find(separator, second + 1) != text.npos) return;
  sight.traces.push_back({text.substr(0, first), text.substr(first + 1, second - first - 1),
                          text.substr(second + 1), what});
}

void put_rules(Sight& sight) {
  std::istringstream lines(tool({"nft", "list", "ruleset"}).out);
  std::string set;
  bool ours = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("table ")) ours = line.find(" unicni ") != line.npos;
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "set" || kind == "map" || kind == "chain") words >> set;
    if (!ours && line.find(" comment ") != line.npos && kind != "comment") {
      sight.rules.push_back(line);
      continue;
    }
    constexpr std::string_view kComment = "comment \"";
    for (auto at = line.find(kComment); at != line.npos; at = line.find(kComment, at + 1)) {
      const auto begin = at + kComment.size();
      put_owner(sight, line.substr(begin, line.find('"', begin) - begin), '/',
                "element of nft set " + set);
    }
  }
}

void put_links(Sight& sight) {
  for (const Json& link : tool_json({"ip", "-j", "link"})) {
    put_owner(sight, link.value("ifalias", ""), '/', "link " + link.value("ifname", "?"));
  }
}

/// host-local's, and those of programs of other makers.
void put_reservations(Sight& sight, const char* folder) {
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (!entry.is_regular_file() || name.starts_with('.') || name == "lock" ||
        name.starts_with("last_reserved_ip"))
      continue;
    std::istringstream lines(read_file(entry.path()));
    std::string container;
    std::string if_name;
    std::getline(lines, container);
    std::getline(lines, if_name);
    std::erase(container, '\r');
    sight.traces.push_back(
        {entry.path().parent_path().filename(), container, if_name, "reservation of " + name});
  }
}

void put_files(Sight& sight) {
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator("/run/unicni", error)) {
    if (!entry.is_regular_file()) continue;
    put_owner(sight, entry.path().filename(), ':', "journal " + entry.path().string());
  }
  put_reservations(sight, "/var/lib/cni/networks");
  put_reservations(sight, kLeases);
  for (const auto& entry : fs::directory_iterator("/run/cni/tuning", error)) {
    std::string stem = entry.path().filename();
    // "c0_eth0.json", or ".c0_eth0.json.<random>.tmp" that was about to become it.
    if (stem.starts_with('.')) stem.erase(0, 1);
    stem.erase(std::min(stem.find(".json"), stem.size()));
    const auto cut = stem.rfind('_');
    if (cut == stem.npos) continue;
    sight.traces.push_back(
        {"", stem.substr(0, cut), stem.substr(cut + 1), "file " + entry.path().string()});
  }
}

std::string text_of(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text,
                sizeof text);
  } else {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text,
                sizeof text);
  }
  return text;
}

int prefix_of(const sockaddr* mask) {
  int bits = 0;
  const auto count = [&](const void* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      bits += std::popcount(static_cast<const unsigned char*>(bytes)[i]);
    }
  };
  if (mask->sa_family == AF_INET) {
    count(&reinterpret_cast<const sockaddr_in*>(mask)->sin_addr, 4);
  } else {
    count(&reinterpret_cast<const sockaddr_in6*>(mask)->sin6_addr, 16);
  }
  return bits;
}

}  // namespace

Sight look_at_host() {
  Sight sight;
  put_rules(sight);
  put_links(sight);
  put_files(sight);
  return sight;
}

Inside look_inside(int netns, const std::string& if_name) {
  Inside inside;
  in_netns(netns, [&] {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::strncpy(request.ifr_name, if_name.c_str(), IFNAMSIZ - 1);
    inside.exists = ::ioctl(fd, SIOCGIFINDEX, &request) == 0;
    if (::ioctl(fd, SIOCGIFMTU, &request) == 0) inside.mtu = request.ifr_mtu;
    if (::ioctl(fd, SIOCGIFHWADDR, &request) == 0) {
      char text[18];
      const auto* mac = reinterpret_cast<const unsigned char*>(request.ifr_hwaddr.sa_data);
      std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                    mac[3], mac[4], mac[5]);
      inside.mac = text;
    }
    ::close(fd);
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return;
    for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
      if (each->ifa_addr == nullptr || if_name != each->ifa_name) continue;
      const int family = each->ifa_addr->sa_family;
      if (family != AF_INET && family != AF_INET6) continue;
      const std::string address = text_of(each->ifa_addr);
      if (address.starts_with("fe80")) continue;
      inside.addresses.insert(address + '/' + std::to_string(prefix_of(each->ifa_netmask)));
    }
    ::freeifaddrs(list);
  });
  return inside;
}

std::vector<std::string> links_inside(int netns) {
  std::vector<std::string> names;
  in_netns(netns, [&] {
    struct if_nameindex* list = ::if_nameindex();
    for (const auto* each = list; each != nullptr && each->if_index != 0; ++each) {
      names.emplace_back(each->if_name);
    }
    ::if_freenameindex(list);
  });
  std::erase(names, "lo");
  return names;
}

std::string setting_inside(int netns, const std::string& key) {
  std::string value;
  in_netns(netns, [&] {
    std::ifstream file("/proc/sys/" + key);
    std::getline(file, value);
  });
  return value;
}

std::vector<std::string> elements_left() {
  std::vector<std::string> left;
  const Json rules = tool_json({"nft", "-j", "list", "ruleset"});
  for (const Json& entry : rules.value("nftables", Json::array())) {
    const auto object = entry.begin();
    if (object.key() != "set" && object.key() != "map") continue;
    if (object.value().value("table", "") != "unicni") continue;
    for (const Json& element : object.value().value("elem", Json::array())) {
      left.push_back(object.value().value("name", "") + ' ' + element.dump());
    }
  }
  return left;
}

}  // namespace unicni::test::world

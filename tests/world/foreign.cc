#include "world/foreign.h"

#include <algorithm>
#include <iterator>

#include "world/scenario.h"

namespace unicni::test::world {
namespace {

constexpr const char* kProgram = R"sh(#!/bin/bash
config=$(cat)
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
n=NUMBER c=${CNI_CONTAINERID##*c}
version=$(sed 's/.*"cniVersion" *: *"\([0-9.]*\)".*/\1/' <<< "$(tr -d '\n' <<< "$config")")
address=10.2$n.0.1$c gateway=169.254.$n.1 host=wv${n}c$c$CNI_IFNAME container=$(basename "$CNI_NETNS")
case $CNI_COMMAND in
ADD)
  [ -e "$CNI_NETNS" ] || { echo '{"cniVersion":"1.0.0","code":4,"msg":"no such namespace"}'; exit 1; }
  ip -batch - << END > /dev/null 2>&1 || { echo '{"cniVersion":"1.0.0","code":999,"msg":"exists"}'; exit 1; }
link add $host mtu 1400 type veth peer name $CNI_IFNAME mtu 1400 netns $container
addr add $gateway/32 dev $host
link set $host up
route add $address/32 dev $host scope link
END
  ip -n $container -batch - << END
link set $CNI_IFNAME up
addr add $address/32 dev $CNI_IFNAME
route add $gateway dev $CNI_IFNAME scope link
route add 10.0.0.0/$((8 + n)) via $gateway dev $CNI_IFNAME
route add 198.51.96.0/$((20 + n)) via $gateway dev $CNI_IFNAME
route add 198.18.$n.0/24 via $gateway dev $CNI_IFNAME
END
  echo 1 > /proc/sys/net/ipv4/ip_forward
  mac=$(nsenter --net="$CNI_NETNS" ip -o link show $CNI_IFNAME | sed 's/.*ether \([^ ]*\).*/\1/')
  echo 'RESULT' | sed "s#@IF@#$CNI_IFNAME#;s#@MAC@#$mac#;s#@NS@#$CNI_NETNS#;s#@IP@#$address#;s#@GW@#$gateway#;s#@V@#$version#" ;;
DEL) ip link del $host 2> /dev/null ;;
CHECK) ip link show $host > /dev/null 2>&1 || { echo '{"cniVersion":"1.0.0","code":999,"msg":"gone"}'; exit 1; } ;;
VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}' ;;
esac
exit 0
)sh";

/// It takes its own lease for what it is: an ADD after a lost one gets the same.
constexpr const char* kLendingProgram = R"sh(#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
config=$(cat)
ask() { jq -r --arg c "$CNI_CONTAINERID" "$1" <<< "$config"; }
fail() { echo '{"cniVersion":"1.0.0","code":'$1',"msg":"'$2'"}'; exit 1; }
folder=LEASES/$(ask .name) owner=$CNI_CONTAINERID$'\n'$CNI_IFNAME
each_lease() { for lease in "$folder"/*; do [ ! -e "$lease" ] || "$@" "$lease"; done; rmdir "$folder" 2> /dev/null; }
release() { [ "$(cat "$1")" != "$owner" ] || rm "$1"; }
collect() {
  jq -e --arg c "$(head -1 "$1")" --arg i "$(tail -1 "$1")" '."cni.dev/valid-attachments" |
    any(.containerID == $c and .ifname == $i)' <<< "$config" > /dev/null || rm "$1"
}
case $CNI_COMMAND in
ADD)
  mkdir -p "$folder"
  for address in $(ask '.ipam.addresses[$c][].address'); do
    lease=$folder/${address%/*}
    [ ! -e "$lease" ] || [ "$(cat "$lease")" = "$owner" ] || fail 100 "lent to another one"
    echo "$owner" > "$lease"
  done
  ask '{cniVersion, ips: .ipam.addresses[$c], routes: .ipam.routes, dns: {}}' ;;
DEL) each_lease release ;;
GC) each_lease collect ;;
CHECK)
  for address in $(ask '.ipam.addresses[$c][].address'); do
    [ "$(cat "$folder/${address%/*}" 2> /dev/null)" = "$owner" ] || fail 101 "not lent"
  done ;;
esac
exit 0
)sh";

constexpr const char* kIps =
    R"("ips":[{"version":"4","address":"@IP@/16","gateway":"@GW@"}],"dns":{}})";

std::string result_of(const std::string& shape) {
  std::string interfaces;
  if (shape == "ovnish") {
    interfaces = R"("interfaces":[{"name":"@IF@","mac":"@MAC@","sandbox":"@NS@"}],)";
  } else if (shape == "azurish") {
    interfaces = R"("interfaces":[{"name":"@IF@","mac":"@MAC@"}],)";
  }
  return R"({"cniVersion":"@V@",)" + interfaces + kIps;
}

void replace(std::string& text, const std::string& what, const std::string& by) {
  text.replace(text.find(what), what.size(), by);
}

}  // namespace

bool is_foreign(const std::string& type) {
  return std::ranges::any_of(kForeignShapes,
                             [&](const char* shape) { return type.starts_with(shape); });
}

std::string foreign_program(const std::string& type) {
  if (type.starts_with(kLender)) {
    std::string lending = kLendingProgram;
    replace(lending, "LEASES", kLeases);
    return lending;
  }
  std::string text = kProgram;
  replace(text, "NUMBER", type.substr(type.size() - 1));
  replace(text, "RESULT", result_of(type.substr(0, type.size() - 1)));
  return text;
}

}  // namespace unicni::test::world

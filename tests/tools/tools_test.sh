#!/usr/bin/env bash
# Tests of the scripts in tools/.
#
# usage: tests/tools/tools_test.sh CASE     (a function case_CASE below; root; UNICNI_STAGE for those that run plugins)
#
# example: sudo UNICNI_STAGE=/usr/local tests/tools/tools_test.sh help
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools=$root/tools
work=$(mktemp -d /tmp/unicni-tools-test.XXXXXX)
trap 'rm -rf "$work"' EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }
expect() { [[ $2 == "$3" ]] || fail "$1: expected \"$2\", got \"$3\""; }
# status COMMAND...: prints its exit status; output goes to $work/output
status() { local s=0; "$@" > "$work/output" 2>&1 < /dev/null || s=$?; echo "$s"; }

# Plugins that write down how they were called. One of type "bad" fails on ADD.
fake_plugins() {
  local type
  mkdir "$work/bin" "$work/net.d"
  for type in one two three bad; do
    cat > "$work/bin/$type" <<PLUGIN
#!/bin/sh
echo "\$CNI_COMMAND $type \$CNI_CONTAINERID \$CNI_NETNS \$CNI_IFNAME \$(tr -d ' \n')" >> "$work/calls"
[ "\$CNI_COMMAND $type" != "ADD bad" ] || { echo '{"code":100,"msg":"no"}'; exit 1; }
[ "\$CNI_COMMAND" != ADD ] || echo '{"made":"$type"}'
PLUGIN
    chmod +x "$work/bin/$type"
  done
  export CNI_PATH=$work/absent:$work/bin NETCONFPATH=$work/net.d
}

case_help() {
  local tool
  for tool in "$tools"/*; do
    [[ -f $tool ]] || continue
    expect "$tool --help" 0 "$(status "$tool" --help)"
    grep -q '^usage: ' "$work/output" || fail "$tool --help has no usage line"
    grep -q '^examples\?:' "$work/output" || fail "$tool --help has no examples"
    if [[ $tool != */docker-run.sh ]]; then  # every argument of it is docker's
      expect "$tool --no-such-option" 2 "$(status "$tool" --no-such-option)"
    fi
  done
}

case_private_host_leaves_nothing() {
  local name=unicni-tt-$$ lib_cni=absent place
  [[ ! -d /var/lib/cni ]] || lib_cni=there
  # shellcheck disable=SC2016  # expanded inside
  "$tools/private-host" bash -c '
    ip netns add "$1" && ip link add "$1" type bridge && touch "/run/$1" "/var/lib/cni/$1" && [[ -e /var/lib/dpkg/status ]]
  ' run "${name:0:15}"
  for place in /run/netns /run /var/lib/cni /sys/class/net; do
    [[ ! -e $place/${name:0:15} ]] || fail "$place/${name:0:15} came out of the private host"
  done
  [[ $lib_cni == there || ! -d /var/lib/cni ]] || fail "/var/lib/cni was made on the machine"
  expect "exit status" 7 "$(status "$tools/private-host" bash -c 'exit 7')"
}

# links_of [-n NETNS]
links_of() { ip "$@" -br link | awk '{ sub(/@.*/, "", $1); print $1 }' | sort | xargs; }

# Inside a private host: two containers on a list of ours, one of which goes without a DEL.
clear_node_inside() {
  local bin=${UNICNI_STAGE:?}/libexec/cni name port=8080 config
  mkdir -p /run/netns
  for name in dead alive; do
    ip netns add "$name"
    config='{"cniVersion":"1.0.0","name":"net.x-1","type":"unicni","plugins":[
      {"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":true,"ipam":{"type":"host-local","subnet":"10.9.0.0/24"}},
      {"type":"firewall"},{"type":"portmap","capabilities":{"portMappings":true}}],
      "runtimeConfig":{"portMappings":[{"hostPort":'$((port++))',"containerPort":80,"protocol":"tcp"}]}}'
    CNI_COMMAND=ADD CNI_CONTAINERID=$name CNI_NETNS=/run/netns/$name CNI_IFNAME=eth.0-1 CNI_PATH=$bin "$bin/unicni" \
      <<< "$config" > /dev/null
  done
  ip netns del dead
  "$tools/clear-node" --bin "$bin"
  nft list table inet unicni > "$work/rules"
  ! grep -q net.x-1/dead/ "$work/rules" || fail "the dead one has rules: $(< "$work/rules")"
  grep -q net.x-1/alive/ "$work/rules" || fail "the living one has lost its rules"
  expect "reservations" "10.9.0.3" "$(cd /var/lib/cni/networks/net.x-1 && echo 10.*)"
  "$tools/clear-node" --all --bin "$bin"
  expect "rules" "" "$(nft list ruleset)"
  expect "links" "cni0 lo" "$(links_of)"
  expect "links inside" "lo" "$(links_of -n alive)"
  expect "files" "last_reserved_ip.0 lock" "$(cd /var/lib/cni/networks/net.x-1 && find . -type f -printf '%f\n' | sort | xargs)"
  [[ ! -e /run/unicni ]] || fail "/run/unicni is there: $(ls -R /run/unicni)"
  expect "on a clear node" 0 "$(status "$tools/clear-node" --bin "$bin")"
}

case_clear_node_leaves_nothing_of_us() {
  "$tools/private-host" "$root/tests/tools/tools_test.sh" --inside clear_node_inside
}

case_plugins_in_order_and_back() {
  fake_plugins
  echo '{"cniVersion":"0.2.0","type":"one"}' > "$work/net.d/10-a.conf"
  echo '{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"two"},{"type":"three"}]}' > "$work/net.d/20-b.conflist"
  "$tools/exec-plugins.sh" add id /run/netns/x
  "$tools/exec-plugins.sh" del id /run/netns/x
  expect "calls" 'ADD one id /run/netns/x eth0 {"cniVersion":"0.2.0","type":"one"}
ADD two id /run/netns/x eth1 {"type":"two","name":"n","cniVersion":"1.0.0"}
ADD three id /run/netns/x eth1 {"type":"three","name":"n","cniVersion":"1.0.0","prevResult":{"made":"two"}}
DEL three id /run/netns/x eth1 {"type":"three","name":"n","cniVersion":"1.0.0"}
DEL two id /run/netns/x eth1 {"type":"two","name":"n","cniVersion":"1.0.0"}
DEL one id /run/netns/x eth0 {"cniVersion":"0.2.0","type":"one"}' "$(cat "$work/calls")"
}

case_failed_add_is_undone() {
  fake_plugins
  echo '{"name":"a","type":"one"}' > "$work/net.d/10-a.conf"
  echo '{"name":"b","type":"bad"}' > "$work/net.d/20-b.conf"
  echo '{"name":"c","type":"three"}' > "$work/net.d/30-c.conf"
  expect "status of a failed add" 1 "$(status "$tools/exec-plugins.sh" add id /run/netns/x)"
  grep -q 'ADD of bad failed.*"code":100' "$work/output" || fail "the error is not shown: $(cat "$work/output")"
  expect "calls" 'ADD one ADD bad DEL bad DEL one' "$(cut -d' ' -f1,2 "$work/calls" | tr '\n' ' ' | sed 's/ $//')"
}

case_absent_plugin_is_named() {
  fake_plugins
  echo '{"name":"a","type":"four"}' > "$work/net.d/10-a.conf"
  expect "status" 1 "$(status "$tools/exec-plugins.sh" add id /run/netns/x)"
  grep -q 'no plugin "four" in' "$work/output" || fail "$(cat "$work/output")"
}

case_run_in_a_network() {
  [[ -n ${UNICNI_STAGE-} ]] || exit 77
  mkdir "$work/net.d"
  echo '{"cniVersion":"1.0.0","name":"tools","type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":true,
    "ipam":{"type":"host-local","subnet":"10.22.0.0/16"}}' > "$work/net.d/10-tools.conf"
  echo '{"cniVersion":"1.0.0","name":"lo","type":"loopback"}' > "$work/net.d/99-lo.conf"
  export CNI_PATH=$UNICNI_STAGE/libexec/cni NETCONFPATH=$work/net.d
  # shellcheck disable=SC2016  # expanded inside
  "$tools/private-host" bash -c '
    "$1/priv-net-run.sh" ip -br -4 addr > "$2/addr"
    status=0
    "$1/priv-net-run.sh" bash -c "exit 9" || status=$?
    echo "$status" > "$2/status"
    { ip netns list; find /var/lib/cni /run/unicni -type f -name "10.22.*"; ip -br link show master cni0; } > "$2/left"
  ' run "$tools" "$work"
  grep -Eq '^eth0@\S+ +UP +10\.22\.0\.2/16' "$work/addr" || fail "no address on eth0: $(cat "$work/addr")"
  grep -Eq '^lo +\S+ +127\.0\.0\.1/8' "$work/addr" || fail "lo is not up: $(cat "$work/addr")"
  expect "the command's exit status" 9 "$(cat "$work/status")"
  expect "what is left" '' "$(cat "$work/left")"
}

case_new_module_compiles() {
  local file
  "$tools/new-module" wake-on-lan --into "$work"
  for file in "$work"/wake-on-lan/*.cc; do
    g++ -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only -I"$root/core/include" \
      -DUNICNI_VERSION='"0"' -DUNICNI_LIBSTDCXX='"host"' "$file"
  done
  for file in CMakeLists.txt README.md example.conflist config.h config.cc wake_on_lan.cc wake_on_lan_test.cc; do
    [[ -s $work/wake-on-lan/$file ]] || fail "$file is missing"
    ! grep -n '@' "$work/wake-on-lan/$file" || fail "$file has a place-holder left"
  done
}

case_new_module_refuses_names() {
  local name
  for name in Bridge 9p a_b ../x 'a b' aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; do
    expect "new-module '$name'" 1 "$(status "$tools/new-module" "$name" --into "$work")"
  done
  mkdir "$work/there"
  expect "new-module there" 1 "$(status "$tools/new-module" there --into "$work")"
}

if [[ ${1-} == --inside ]]; then
  "$2"
else
  "case_${1:?a case: see case_* in this file}"
fi

#!/usr/bin/env bash
# Tests of the scripts in tools/.
#
# usage: tests/tools/tools_test.sh CASE     (a function case_CASE below; root; UNICNI_STAGE for those that run plugins,
#                                           UNICNI_BUILD, a build folder, for those of tools/stage)
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

# A cnitool that isn't ours, so that the scripts work without one.
without_cnitool() {
  mkdir -p "$work/others"
  printf '#!/bin/sh\necho cnitool v1.3.0; echo "$*" >> "%s"\n' "$work/cnitool-calls" > "$work/others/cnitool"
  chmod +x "$work/others/cnitool"
  export PATH=$work/others:$PATH
}

# Plugins that write down how they were called. One of type "bad" fails on ADD.
fake_plugins() {
  local type
  without_cnitool
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

# With a root and its packages there is nothing to make, so that this needs no network.
case_debian_is_prepared_without_a_command() {
  local cache=$work/debian13
  mkdir -p "$cache/root"
  cp "$tools/setup" "$cache/setup"
  expect "debian13 --prepare" 0 "$(UNICNI_DEBIAN13_CACHE=$cache status "$tools/debian13" --prepare)"
  expect "its output" "" "$(cat "$work/output")"
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

case_cnitool_of_others_is_not_used() {
  fake_plugins
  echo '{"cniVersion":"1.0.0","name":"a","type":"one"}' > "$work/net.d/10-a.conf"
  "$tools/exec-plugins.sh" add id /run/netns/x
  expect "calls of cnitool" '--version' "$(cat "$work/cnitool-calls")"
  expect "calls of plugins" 1 "$(wc -l < "$work/calls")"
}

# Two networks and a file without a name, in $work/net.d.
networks() {
  mkdir "$work/net.d"
  echo '{"cniVersion":"1.0.0","name":"tools","type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":true,
    "ipam":{"type":"host-local","subnet":"10.22.0.0/16"}}' > "$work/net.d/10-tools.conf"
  echo '{"cniVersion":"1.0.0","name":"more","plugins":[{"type":"bridge","bridge":"cni1",
    "ipam":{"type":"host-local","subnet":"10.23.0.0/16"}},{"type":"firewall"}]}' > "$work/net.d/20-more.conflist"
  echo '{"cniVersion":"0.2.0","type":"loopback"}' > "$work/net.d/99-lo.conf"
  export CNI_PATH=$UNICNI_STAGE/libexec/cni NETCONFPATH=$work/net.d
}

# Files of attachments that are left: results, reservations, journals.
left() {
  find /var/lib/cni/results /var/lib/cni/networks /run/unicni/attachments -type f ! -name 'last_reserved_ip.*' ! -name lock \
    ! -name .unicni-index 2> /dev/null | sort
}

# Inside a private host, with our cnitool in PATH.
exec_plugins_by_cnitool_inside() {
  networks
  mkdir -p /run/netns
  ip netns add demo
  DEBUG=1 "$tools/exec-plugins.sh" add demo /run/netns/demo > "$work/output"
  grep -q '^ADD 10-tools.conf: {' "$work/output" || fail "the result isn't shown: $(cat "$work/output")"
  expect "results" "more-demo-eth1 tools-demo-eth0" "$(cd /var/lib/cni/results && echo *)"
  expect "links inside" "eth0 eth1 lo" "$(links_of -n demo)"
  ip -n demo -br addr show lo | grep -q 127.0.0.1 || fail "the file without a name was passed over"
  "$tools/exec-plugins.sh" del demo /run/netns/demo
  expect "what is left" '' "$(left)"
  expect "links inside" "lo" "$(links_of -n demo)"

  # The second network can't be had: nothing of the first one stays.
  sed -i 's/"firewall"/"no-such"/' "$work/net.d/20-more.conflist"
  expect "status of a failed add" 1 "$(status "$tools/exec-plugins.sh" add demo /run/netns/demo)"
  grep -q 'no-such' "$work/output" || fail "the error is not shown: $(cat "$work/output")"
  grep -q '^20-more.conflist: ADD failed' "$work/output" || fail "the file is not named: $(cat "$work/output")"
  expect "what is left of a failed add" '' "$(left)"
}

case_cnitool_of_ours_does_the_work() {
  [[ -n ${UNICNI_STAGE-} ]] || exit 77
  PATH=$UNICNI_STAGE/bin:$PATH "$tools/private-host" "$root/tests/tools/tools_test.sh" --inside exec_plugins_by_cnitool_inside
}

run_in_a_network_inside() {
  local how=$1 s=0
  networks
  ln -sf "$tools/priv-net-run.sh" "$work/by-link"
  "$work/by-link" ip -br -4 addr > "$work/addr"
  grep -Eq '^eth0@\S+ +UP +10\.22\.0\.2/16' "$work/addr" || fail "$how: no address on eth0: $(cat "$work/addr")"
  grep -Eq '^eth1@\S+ +UP +10\.23\.0\.2/16' "$work/addr" || fail "$how: no address on eth1: $(cat "$work/addr")"
  grep -Eq '^lo +\S+ +127\.0\.0\.1/8' "$work/addr" || fail "$how: lo is not up: $(cat "$work/addr")"
  "$tools/priv-net-run.sh" bash -c 'exit 9' || s=$?
  expect "$how: the command's exit status" 9 "$s"
  "$tools/priv-net-run.sh" bash -c '! ls /var/lib/cni/results 2> /dev/null' > "$work/results" || true
  expect "$how: results meanwhile" "$2" "$(wc -l < "$work/results")"
  expect "$how: what is left" '' "$(left; ip netns list; ip -br link show master cni0)"
}

case_run_in_a_network() {
  [[ -n ${UNICNI_STAGE-} ]] || exit 77
  PATH=$UNICNI_STAGE/bin:$PATH \
    "$tools/private-host" "$root/tests/tools/tools_test.sh" --inside run_in_a_network_inside "by cnitool" 2
  without_cnitool
  "$tools/private-host" "$root/tests/tools/tools_test.sh" --inside run_in_a_network_inside "by hand" 0
}

# Podman as in a container of CI: no systemd, no overlay file system, no free choice of limits.
podman_with_busybox() {
  local tool
  mkdir -p "$work"/rootfs/{bin,dev,etc,proc,sys,tmp}
  cp "$(command -v busybox)" "$work/rootfs/bin/"
  for tool in sh sleep ip cat; do ln -s busybox "$work/rootfs/bin/$tool"; done
  export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf CONTAINER_ENGINE=podman
  cat > "$CONTAINERS_CONF" <<CONF
[engine]
cgroup_manager="cgroupfs"
runtime="runc"
events_logger="file"
lock_type="file"
[network]
network_config_dir="$work/podman-net.d"
[containers]
default_ulimits=["nofile=1024:1024","nproc=4096:4096"]
log_driver="k8s-file"
CONF
  printf '[storage]\ndriver="vfs"\ngraphroot="%s"\nrunroot="%s"\n' "$work/graph" "$work/run" > "$CONTAINERS_STORAGE_CONF"
  tar -C "$work/rootfs" -c . | podman import - busybox:latest > "$work/import" 2>&1 || fail "podman import: $(cat "$work/import")"
}

container_on_a_network_inside() {
  local how=$1 s=0
  networks
  podman_with_busybox
  "$tools/docker-run.sh" --rm busybox:latest ip addr > "$work/addr"
  grep -q 'inet 10\.22\.0\.2/16' "$work/addr" || fail "$how: no address on eth0: $(cat "$work/addr")"
  grep -q 'inet 10\.23\.0\.2/16' "$work/addr" || fail "$how: no address on eth1: $(cat "$work/addr")"
  "$tools/docker-run.sh" --rm busybox:latest sh -c 'exit 9' || s=$?
  expect "$how: the container's exit status" 9 "$s"
  expect "$how: what is left" '' "$(left; podman ps --all --quiet; ip -br link show master cni0)"
}

case_container_on_a_network() {
  if ! command -v podman runc busybox > /dev/null || [[ -z ${UNICNI_STAGE-} ]]; then
    [[ ${UNICNI_FULL-} != yes ]] || fail "no Podman, runc or busybox (tools/setup --full)"
    exit 77
  fi
  local before
  before=$(compgen -G '/sys/fs/cgroup/libpod_parent' || compgen -G '/sys/fs/cgroup/*/libpod_parent' || true)
  PATH=$UNICNI_STAGE/bin:$PATH \
    "$tools/private-host" "$root/tests/tools/tools_test.sh" --inside container_on_a_network_inside "by cnitool"
  without_cnitool
  "$tools/private-host" "$root/tests/tools/tools_test.sh" --inside container_on_a_network_inside "by hand"
  # Control groups belong to no namespace of ours, and Podman leaves its empty ones.
  [[ -n $before ]] || find /sys/fs/cgroup{,/*}/libpod_parent -depth -type d -exec rmdir {} + 2> /dev/null || true
}

case_docker_run_names_the_engine_that_is_missing() {
  expect "status" 1 "$(CONTAINER_ENGINE=no-such-engine status "$tools/docker-run.sh" busybox)"
  grep -q 'there is no no-such-engine' "$work/output" || fail "$(cat "$work/output")"
}

# fake_unictl FOLDER: one that writes down how it was called.
fake_unictl() {
  printf '#!/bin/sh\necho "$*" >> "%s"\n' "$work/unictl-calls" > "$1/unictl"
  chmod +x "$1/unictl"
}

case_stage_links_every_module() {
  local name modules=()
  "$tools/stage" --build-dir "${UNICNI_BUILD:?}" --no-build "$work/bin"
  for name in "$root"/modules/*/CMakeLists.txt; do
    name=${name%/*}
    modules+=("${name##*/}")
  done
  expect "links" "$(printf '%s\n' "${modules[@]}" unicni | sort | xargs)" "$(cd "$work/bin" && printf '%s\n' * | sort | xargs)"
  for name in "${modules[@]}"; do
    CNI_COMMAND=VERSION "$work/bin/$name" < /dev/null | grep -q '"1.1.0"' || fail "$name doesn't work"
  done
  touch "$work/bin/mine"
  "$tools/stage" --build-dir "$UNICNI_BUILD" --no-build "$work/bin"
  [[ -e $work/bin/mine ]] || fail "what was in the folder has gone"
}

case_stage_replaces_only_what_is_ours() {
  mkdir "$work/bin"
  echo precious > "$work/bin/bridge"
  expect "status" 1 "$(status "$tools/stage" --build-dir "${UNICNI_BUILD:?}" --no-build "$work/bin")"
  expect "bridge" precious "$(cat "$work/bin/bridge")"
}

# In a checkout of somebody else's the modules must be brought where only root writes.
case_stage_installs_what_is_not_roots_alone() {
  mkdir -p "$work/build/exec" "$work/build/modules" "$work/build/tools/unictl" "$work/fake"
  cp /bin/true "$work/build/exec/unicni"
  fake_unictl "$work/build/tools/unictl"
  touch "$work/build/modules/bridge.so"
  chown 1234 "$work/build/modules"
  cat > "$work/fake/cmake" <<FAKE
#!/bin/sh
echo "\$*" >> "$work/cmake-calls"
[ "\$1" != --install ] || { mkdir -p "\$4/libexec/cni"; cp /bin/true "\$4/libexec/cni/unicni"; }
FAKE
  chmod +x "$work/fake/cmake"
  PATH=$work/fake:$PATH "$tools/stage" --build-dir "$work/build" --prefix "$work/prefix" "$work/bin"
  expect "calls of cmake" "--build $work/build
--install $work/build --prefix $work/prefix" "$(cat "$work/cmake-calls")"
  expect "what is installed" "install --bin-dir $work/bin --executable $work/prefix/libexec/cni/unicni" "$(cat "$work/unictl-calls")"
  chown 1234 "$work/prefix"
  expect "with a prefix that isn't root's" 1 \
    "$(PATH=$work/fake:$PATH status "$tools/stage" --no-build --build-dir "$work/build" --prefix "$work/prefix" "$work/bin")"
  grep -q "isn't root's alone: name another place with --prefix" "$work/output" || fail "$(cat "$work/output")"
}

case_stage_builds_a_release() {
  mkdir -p "$work/tree/tools" "$work/fake"
  cp "$tools/stage" "$work/tree/tools/"
  mkdir "$work/unictl"
  fake_unictl "$work/unictl"
  cat > "$work/fake/cmake" <<FAKE
#!/bin/sh
echo "\$*" >> "$work/cmake-calls"
[ "\$1" != --build ] || {
  mkdir -p "\$2/exec" "\$2/modules" "\$2/tools"
  cp /bin/true "\$2/exec/unicni"
  cp -r "$work/unictl" "\$2/tools/unictl"
  touch "\$2/modules/ptp.so"
}
FAKE
  chmod +x "$work/fake/cmake"
  (cd "$work" && PATH=$work/fake:$PATH tree/tools/stage bin)
  expect "calls of cmake" "--preset release
--build $work/tree/build/release" "$(cat "$work/cmake-calls")"
  expect "what is installed" "install --bin-dir bin --executable $work/tree/build/release/exec/unicni" "$(cat "$work/unictl-calls")"
}

# The README's commands as they stand there, in a checkout that was built already, on a host whose /etc is its own.
classic_walk_inside() {
  mkdir -p /run/etc "$work/tree/build" "$work/fake"
  cp -a /etc/. /run/etc/
  mount --bind /run/etc /etc
  rm -rf /etc/cni
  ln -s "$UNICNI_BUILD" "$work/tree/build/release"
  cp -r "$tools" "$work/tree/tools"
  printf '#!/bin/sh\nexit 0\n' > "$work/fake/cmake"
  printf '#!/bin/sh\nexec env "$@"\n' > "$work/fake/sudo"
  chmod +x "$work/fake/cmake" "$work/fake/sudo"
  sed -n '/^## By hand/,/^## /{/^```/,/^```/{/^```/d;p}}' "$root/README.md" > "$work/walk"
  grep -q 'priv-net-run.sh ip addr' "$work/walk" || fail "README.md has no walk: $(cat "$work/walk")"
  (cd "$work/tree" && PATH=$work/fake:$PATH bash -euo pipefail "$work/walk" > "$work/output" 2>&1) ||
    fail "the walk failed: $(cat "$work/output")"
  grep -q 'inet 10\.22\.0\.2/16' "$work/output" || fail "no address is shown: $(cat "$work/output")"
  grep -q 'inet 127\.0\.0\.1/8' "$work/output" || fail "lo is not up: $(cat "$work/output")"
}

case_classic_walk_of_the_readme() {
  without_cnitool
  "$tools/private-host" "$root/tests/tools/tools_test.sh" --inside classic_walk_inside
}

# Under names that something else in the sources might have, too.
case_new_module_compiles() {
  local kind name file
  for kind in interface ipam chained; do
    case $kind in
      interface) name=dns ;;
      ipam) name=module ;;
      chained) name=result ;;
    esac
    "$tools/new-module" "$name" --kind "$kind" --into "$work/$kind"
    for file in "$work/$kind/$name"/*.cc; do
      g++ -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only -I"$root/core/include" \
        -DUNICNI_VERSION='"0"' -DUNICNI_LIBSTDCXX='"host"' "$file"
    done
    for file in CMakeLists.txt README.md example.conflist conformance.json config.h config.cc "$name.cc" "${name}_test.cc"; do
      [[ -s $work/$kind/$name/$file ]] || fail "$file is missing"
      ! grep -n '@' "$work/$kind/$name/$file" || fail "$file has a place-holder left"
    done
  done
}

# In a copy of the tree: its build has the module, and so has the suite, which with UNICNI_FULL is run as well.
case_new_module_is_built_and_in_the_suite_at_once() {
  local tree=$work/tree build=$work/tree/build/dev stage=$work/stage
  mkdir "$tree"
  cp -r "$root"/{.clang-format,CMakeLists.txt,CMakePresets.json,cmake,config,core,exec,modules,tests,tools} "$tree"
  "$tree/tools/new-module" wake-on-lan --kind interface
  (cd "$tree" && cmake --preset dev > /dev/null)
  cmake --build "$build" --target module_wake-on-lan > "$work/output" || { cat "$work/output"; fail "it isn't built"; }
  cp -r "${UNICNI_STAGE:?}" "$stage"
  cp "$build/modules/wake-on-lan.so" "$stage/lib/unicni/modules"
  ln -s unicni "$stage/libexec/cni/wake-on-lan"
  CNI_COMMAND=VERSION "$stage/libexec/cni/wake-on-lan" > "$work/output" || { cat "$work/output"; fail "it isn't loaded"; }
  grep 'UNICNI_CONFORMING=' "$build/build.ninja" | grep -q '[,=]*wake-on-lan[,\\]' || fail "it isn't in the suite"
  [[ ${UNICNI_FULL-} == yes ]] || return 0
  cmake --build "$build" --target conformance_test > "$work/output" || { cat "$work/output"; fail "no suite"; }
  UNICNI_STAGE=$stage "$build/tests/conformance/conformance_test" --gtest_filter='*wake*' > "$work/output" ||
    { cat "$work/output"; fail "it doesn't conform"; }
  grep -q '[1-9][0-9]* tests\? from' "$work/output" || fail "nothing was run: $(cat "$work/output")"
}

# The tool of the tree and the one that is installed know the same templates.
case_new_module_is_also_a_verb_of_unictl() {
  local kind
  for kind in interface ipam chained; do
    "$tools/new-module" wake-on-lan --kind "$kind" --out-of-tree "$work/$kind/by-tool"
    "${UNICNI_STAGE:?}/bin/unictl" new-module wake-on-lan --kind "$kind" --out-of-tree "$work/$kind/by-unictl"
    diff -r "$work/$kind/by-tool" "$work/$kind/by-unictl" || fail "they differ for $kind"
  done
}

case_new_module_keeps_what_is_there() {
  mkdir "$work/full"
  touch "$work/full/mine"
  expect "not empty" 1 "$(status "$tools/new-module" geneve --out-of-tree "$work/full")"
  expect "files" mine "$(ls "$work/full")"
  expect "no kind" 1 "$(status "$tools/new-module" geneve --kind daemon --out-of-tree "$work/new")"
  [[ ! -e $work/new ]] || fail "something was made"
}

case_new_module_refuses_names() {
  local name
  for name in Bridge 9p a_b a- unicni bridge test all install config linux ../x 'a b' aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; do
    expect "new-module '$name'" 1 "$(status "$tools/new-module" "$name" --into "$work")"
  done
  mkdir "$work/there"
  expect "new-module there" 1 "$(status "$tools/new-module" there --into "$work")"
}

if [[ ${1-} == --inside ]]; then
  "${@:2}"
else
  "case_${1:?a case: see case_* in this file}"
fi

#!/usr/bin/env bash
# Attaches a network namespace to every network of a folder, or detaches it, as a container runtime would: the files
# *.conf and *.conflist in sorted order (del: in reverse), the interface eth<N> for the Nth file. If an add fails, what
# was added is removed again.
#
# Where unicni's cnitool is installed, it does the work, with a cache of results as runtimes have one. Without it, and for
# files of a network without a name, which no runtime takes, the plugins are executed from here.
#
# usage: sudo tools/exec-plugins.sh add|del CONTAINER-ID NETNS-PATH
#
# environment: CNI_PATH (plugins, default /opt/cni/bin), NETCONFPATH (default /etc/cni/net.d),
#              CNI_ARGS (handed on), CAP_ARGS (handed on by cnitool), DEBUG=1 (print each result)
#
# examples:
#   sudo ip netns add demo
#   sudo CNI_PATH=/usr/local/libexec/cni tools/exec-plugins.sh add demo /run/netns/demo
#   sudo CNI_PATH=/usr/local/libexec/cni tools/exec-plugins.sh del demo /run/netns/demo
set -euo pipefail

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; }
die() { echo "exec-plugins.sh: $*" >&2; exit 1; }

case ${1-} in
  -h | --help) usage; exit 0 ;;
  add | del) (($# == 3)) || { usage >&2; exit 2; } ;;
  *) usage >&2; exit 2 ;;
esac
command -v jq > /dev/null || die "needs jq (sudo tools/setup --tests)"
export CNI_PATH=${CNI_PATH:-/opt/cni/bin} CNI_CONTAINERID=$2 CNI_NETNS=$3

# plugin VERB TYPE: netconf on stdin, the result on stdout.
plugin() {
  local verb=$1 type=$2 folder folders
  IFS=: read -r -a folders <<< "$CNI_PATH"
  for folder in "${folders[@]}"; do
    if [[ -x $folder/$type ]]; then
      CNI_COMMAND=$verb "$folder/$type"
      return
    fi
  done
  echo "no plugin \"$type\" in $CNI_PATH"
  return 1
}

# Ours and nobody else's: the reference's has other options.
cnitool=$(command -v cnitool) && [[ $("$cnitool" --version 2> /dev/null) == *unicni* ]] || cnitool=

# Plugins may lack names in a file that nobody but this script reads, as 99-loopback.conf always did.
is_nameless() { jq -e 'has("name") | not' "$1" > /dev/null 2>&1; }

# network VERB FILE IFNAME
network() {
  local result
  if [[ -z $cnitool ]] || is_nameless "$2"; then
    by_hand "$@"
  elif result=$("$cnitool" "${1,,}" --container-id "$CNI_CONTAINERID" --ifname "$3" "$2" "$CNI_NETNS"); then
    [[ ${DEBUG:-0} == 0 ]] || printf '%s %s: %s\n' "$1" "${2##*/}" "$result"
  else
    printf '%s: %s failed\n' "${2##*/}" "$1" >&2
    return 1
  fi
}

# by_hand VERB FILE IFNAME: all plugins of one file; the result of each is prevResult of the next.
by_hand() {
  local verb=$1 file=$2 config type conf result='' order=.
  export CNI_IFNAME=$3
  [[ $verb == DEL ]] && order=reverse
  # A single plugin's file is a list of one.
  config=$(jq -c "if .plugins then {name, cniVersion} as \$list | .plugins | map(. + \$list) else [.] end | $order | .[]" "$file") ||
    return 1
  while read -r conf <&3; do
    type=$(jq -r .type <<< "$conf")
    if [[ $verb == ADD && -n $result ]]; then
      conf=$(jq -c --argjson result "$result" '. + {prevResult: $result}' <<< "$conf")
    fi
    if ! result=$(plugin "$verb" "$type" <<< "$conf"); then
      printf '%s: %s of %s failed: %s\n' "${file##*/}" "$verb" "$type" "$result" >&2
      [[ $verb == ADD ]] && return 1
      failed=1
    fi
  done 3<<< "$config"
  if [[ ${DEBUG:-0} != 0 ]]; then
    printf '%s %s: %s\n' "$verb" "${file##*/}" "$result"
  fi
}

shopt -s nullglob
folder=${NETCONFPATH:-/etc/cni/net.d}
[[ $folder == */* ]] || folder=./$folder  # for cnitool a word without / is a network's name
files=("$folder"/*.conf "$folder"/*.conflist)
((${#files[@]})) || die "no *.conf or *.conflist in $folder"
mapfile -t files < <(printf '%s\n' "${files[@]}" | LC_ALL=C sort)

# detach COUNT: the first COUNT files, last one first, past errors.
detach() {
  local i
  for ((i = $1 - 1; i >= 0; i--)); do
    network DEL "${files[i]}" "eth$i" || failed=1
  done
}

failed=0
if [[ $1 == del ]]; then
  detach "${#files[@]}"
else
  for i in "${!files[@]}"; do
    if ! network ADD "${files[i]}" "eth$i"; then
      detach $((i + 1))
      exit 1
    fi
  done
fi
exit "$failed"

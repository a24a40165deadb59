#!/usr/bin/env bash
# Runs a command in a new network namespace that is attached to all networks of /etc/cni/net.d, and detaches it after.
# The command's exit status is passed on.
#
# usage: sudo tools/priv-net-run.sh COMMAND [ARGUMENT...]
#
# environment: CNI_PATH (plugins, default /opt/cni/bin), NETCONFPATH (default /etc/cni/net.d)
#
# examples:
#   sudo CNI_PATH=/usr/local/libexec/cni tools/priv-net-run.sh ip addr
#   sudo tools/private-host tools/priv-net-run.sh ip route   # without touching the machine's own network
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; }

case ${1-} in
  '' | -*) [[ ${1-} == --help || ${1-} == -h ]] && { usage; exit 0; }; usage >&2; exit 2 ;;
esac
[[ $EUID == 0 ]] || { echo "priv-net-run.sh: needs root" >&2; exit 1; }

id=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
netns=/run/netns/$id
ip netns add "$id"
attached=no
# shellcheck disable=SC2317  # the trap calls it
cleanup() {
  [[ $attached == no ]] || "$root/tools/exec-plugins.sh" del "$id" "$netns" || true
  ip netns delete "$id"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$root/tools/exec-plugins.sh" add "$id" "$netns"
attached=yes
status=0
trap : INT  # Ctrl-C is for the command
nsenter --net="$netns" "$@" || status=$?
exit "$status"

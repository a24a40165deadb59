#!/usr/bin/env bash
# Runs a container of Docker or Podman on the networks of /etc/cni/net.d instead of the engine's own, and detaches it
# after. The container's exit status is passed on.
#
# usage: sudo tools/docker-run.sh RUN-ARGUMENT...          (those of "docker run")
#
# environment: CNI_PATH (plugins, default /opt/cni/bin), NETCONFPATH (default /etc/cni/net.d),
#              CONTAINER_ENGINE (default docker, else podman),
#              UNICNI_PAUSE_IMAGE (holds the namespace, default busybox:latest)
#
# examples:
#   sudo tools/docker-run.sh --rm busybox ip addr
#   sudo NETCONFPATH=./net.d tools/docker-run.sh --rm -it alpine sh
#   sudo CONTAINER_ENGINE=podman tools/docker-run.sh --rm busybox ip route
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; }

case ${1-} in
  -h | --help) usage; exit 0 ;;
  '') usage >&2; exit 2 ;;
esac
[[ $EUID == 0 ]] || { echo "docker-run.sh: needs root" >&2; exit 1; }
engine=${CONTAINER_ENGINE-}
if [[ -z $engine ]]; then
  engine=docker
  command -v docker > /dev/null || ! command -v podman > /dev/null || engine=podman
fi
command -v "$engine" > /dev/null || { echo "docker-run.sh: there is no $engine on this machine" >&2; exit 1; }

# A sleeper without a network holds the namespace, so that it is attached before the real container starts.
id=$("$engine" run --detach --network none "${UNICNI_PAUSE_IMAGE:-busybox:latest}" /bin/sleep 10000000)
attached=no netns=''
# shellcheck disable=SC2317  # the trap calls it
cleanup() {
  [[ $attached == no ]] || "$root/tools/exec-plugins.sh" del "$id" "$netns" || true
  "$engine" kill "$id" > /dev/null || true  # it sleeps through SIGTERM, which rm would wait for
  "$engine" rm --force "$id" > /dev/null
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

netns=/proc/$("$engine" inspect --format '{{.State.Pid}}' "$id")/ns/net
"$root/tools/exec-plugins.sh" add "$id" "$netns"
attached=yes
status=0
trap : INT
"$engine" run --network "container:$id" "$@" || status=$?
exit "$status"

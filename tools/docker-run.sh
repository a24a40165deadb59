#!/usr/bin/env bash
# Runs a Docker container on the networks of /etc/cni/net.d instead of Docker's own, and detaches it after. The
# container's exit status is passed on.
#
# usage: sudo tools/docker-run.sh DOCKER-RUN-ARGUMENT...
#
# environment: CNI_PATH (plugins, default /opt/cni/bin), NETCONFPATH (default /etc/cni/net.d),
#              UNICNI_PAUSE_IMAGE (holds the namespace, default busybox:latest)
#
# examples:
#   sudo tools/docker-run.sh --rm busybox ip addr
#   sudo NETCONFPATH=./net.d tools/docker-run.sh --rm -it alpine sh
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; }

case ${1-} in
  -h | --help) usage; exit 0 ;;
  '') usage >&2; exit 2 ;;
esac
[[ $EUID == 0 ]] || { echo "docker-run.sh: needs root" >&2; exit 1; }
command -v docker > /dev/null || { echo "docker-run.sh: there is no docker on this machine" >&2; exit 1; }

# A sleeper without a network holds the namespace, so that it is attached before the real container starts.
id=$(docker run --detach --network none "${UNICNI_PAUSE_IMAGE:-busybox:latest}" /bin/sleep 10000000)
attached=no netns=''
# shellcheck disable=SC2317  # the trap calls it
cleanup() {
  [[ $attached == no ]] || "$root/tools/exec-plugins.sh" del "$id" "$netns" || true
  docker rm --force "$id" > /dev/null
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

netns=/proc/$(docker inspect --format '{{.State.Pid}}' "$id")/ns/net
"$root/tools/exec-plugins.sh" add "$id" "$netns"
attached=yes
status=0
trap : INT
docker run --network "container:$id" "$@" || status=$?
exit "$status"

#!/usr/bin/env bash
# Installs what the speed table compares with, on Debian 12: packages by apt (needs root), dvc and
# oxen from PyPI into BENCH_TOOLS (target/bench-tools). What cannot be installed is left out.
#
# usage: install.sh [git] [git-lfs] [restic] [borg] [dvc] [oxen] [limits]     (default: all)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tools=${BENCH_TOOLS:-$here/../../target/bench-tools}
wanted=("$@")
[ $# -gt 0 ] || wanted=(git git-lfs restic borg dvc oxen limits)

# Asks apt for a package only if its program is missing.
packages=()
need() { command -v "$1" >/dev/null || packages+=("$2"); }
from_pypi=()
for one in "${wanted[@]}"; do
  case $one in
    git | git-lfs | restic) need "$one" "$one" ;;
    borg) need borg borgbackup ;;
    limits) for tool in b3sum openssl zstd; do need $tool $tool; done ;;
    dvc | oxen)
      need git git
      python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
      from_pypi+=("$one")
      ;;
    *) echo "install.sh: no peer named $one" >&2; exit 2 ;;
  esac
done
if [ ${#packages[@]} -gt 0 ]; then
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
fi

# One environment each: their dependencies contradict each other.
for one in "${from_pypi[@]}"; do
  folder=$tools/venv
  [ "$one" = dvc ] || folder=$tools/oxen
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --requirement "$here/requirements-$one.txt" ||
    echo "install.sh: $one could not be installed; it will be left out" >&2
done

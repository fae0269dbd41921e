#!/usr/bin/env bash
# Make .venv and install what the lock names, every file checked against its hash; then the project.
# uv does in two seconds what takes pip one minute, so it is fetched first (with its hash as well)
# unless it is there. Where uv cannot reach the packages, pip installs the same lock.
set -euo pipefail
cd "$(dirname "$0")/.."
stop() { printf 'setup: %s\n' "$*" >&2; exit 1; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s' "$candidate"
      return
    fi
  done
  stop "needs Python 3.11 or newer; found $(python3 --version 2>&1 || true). Install it, or name it: make setup PYTHON=/path/to/python3"
}

[ "$(uname -s)" = Linux ] || stop "Linux is the supported system"
[ -f locks/dev.txt ] || stop "locks/dev.txt is missing; run from a full clone"

python=$(find_python)
uv=$(command -v uv || true)
if [ ! -x .venv/bin/python ]; then
  echo "setup: making .venv with $("$python" --version)"
  if [ -n "$uv" ]; then
    "$python" -m venv --without-pip .venv
  else
    "$python" -c 'import ensurepip' 2>/dev/null ||
      stop "this Python cannot make environments: the package python3-venv is missing (apt-get install python3-venv)"
    "$python" -m venv .venv
  fi
fi

hashed=(--require-hashes --only-binary :all:)
if [ -z "$uv" ] && [ -x .venv/bin/uv ]; then uv=.venv/bin/uv; fi
if [ -z "$uv" ]; then
  .venv/bin/python -m pip install -q --disable-pip-version-check "${hashed[@]}" -r locks/uv.txt
  uv=.venv/bin/uv
fi
. scripts/mirror.sh

echo "setup: installing from locks/dev.txt"
project=(--no-deps --no-build-isolation --editable .)
if "$uv" pip install -q --python .venv/bin/python "${hashed[@]}" -r locks/dev.txt; then
  "$uv" pip install -q --python .venv/bin/python "${project[@]}"
else
  .venv/bin/python -m pip --version >/dev/null 2>&1 || stop "the packages could not be installed"
  echo "setup: trying again with pip"
  .venv/bin/python -m pip install -q --disable-pip-version-check "${hashed[@]}" -r locks/dev.txt
  .venv/bin/python -m pip install -q --disable-pip-version-check "${project[@]}"
fi
touch .venv/ready
echo "setup: ready"

#!/usr/bin/env bash
# Add to .venv what the measured peers need (locks/bench.txt, and Cerbos from npm where there is npm),
# every file checked against its hash. A peer that cannot be had is left out by the measurement.
set -euo pipefail
cd "$(dirname "$0")/.."

hashed=(--require-hashes --only-binary :all: -r locks/bench.txt)
pip=(.venv/bin/python -m pip)
. scripts/mirror.sh
echo "bench: installing the peers' packages from locks/bench.txt"
.venv/bin/uv pip install -q --python .venv/bin/python "${hashed[@]}" ||
  "${pip[@]}" install -q --disable-pip-version-check "${hashed[@]}"
echo "bench: Cerbos: $(.venv/bin/python -m loadtest.peers.cerbos)"
touch .venv/bench

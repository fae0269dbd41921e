# shellcheck shell=bash
# Sourced by the scripts that install, once .venv is there: a mirror that pip was told about is a
# mirror for uv too. The user's own setting is passed on; nothing is chosen here.
if [ -z "${UV_DEFAULT_INDEX:-}" ] && .venv/bin/python -m pip --version >/dev/null 2>&1; then
  mirror=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)}
  [ -z "$mirror" ] || export UV_DEFAULT_INDEX="$mirror"
fi

"""The engine's program: fetched once from npm, checked against its hash, kept inside .venv."""

from __future__ import annotations

import base64
import hashlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "0.55.0"
PACKAGE = "@cerbos/cerbos-linux-x64"
#: SHA-512 of the package's archive, as the registry states it. It ships the program itself.
INTEGRITY = (
    "eLZUycJfaQWK0XTRgH/Oz2E3XiNCUavDd1LhzFxhUpZ3s5CuQqmqG327ta0On8YOTxuZO/19cG4kvfC22r03/Q=="
)

_MEMBER = "package/cerbos-linux-x64"
_FETCH_SECONDS_MAX = 300


class NotFetched(Exception):
    """The program could not be had; the message says why."""


def missing() -> str:
    """Why there can be no program on this machine; empty where there can."""
    if platform.machine() != "x86_64":
        return f"npm has {PACKAGE} and no package for {platform.machine()}"
    if not fetched() and shutil.which("npm") is None:
        return "npm is not installed, and nothing else brings the program"
    return ""


def fetched() -> bool:
    """Whether the program is here already."""
    return _kept().exists()


def program() -> Path:
    """The program, fetched if need be.

    Raises:
        NotFetched: npm failed, or what it brought is not what the hash says.
    """
    if not fetched():
        _kept().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_kept().parent) as folder:
            _unpack(_archive(Path(folder)), Path(folder))
    return _kept()


def _kept() -> Path:
    return Path(sys.prefix) / "peers" / f"cerbos-{VERSION}"


def _archive(folder: Path) -> bytes:
    line = ["npm", "pack", f"{PACKAGE}@{VERSION}", "--pack-destination", str(folder), "--silent"]
    try:
        subprocess.run(line, capture_output=True, timeout=_FETCH_SECONDS_MAX, check=True)
    except subprocess.CalledProcessError as fault:
        raise NotFetched(fault.stderr.decode(errors="replace")[-500:]) from None
    except subprocess.TimeoutExpired:
        raise NotFetched(f"npm took over {_FETCH_SECONDS_MAX} s") from None
    (path,) = folder.glob("*.tgz")
    data = path.read_bytes()
    if base64.b64encode(hashlib.sha512(data).digest()).decode() != INTEGRITY:
        raise NotFetched(f"{PACKAGE} {VERSION} is not the archive that was pinned")
    return data


def _unpack(data: bytes, folder: Path) -> None:
    archive = folder / "checked.tgz"
    archive.write_bytes(data)
    with tarfile.open(archive) as tar:
        tar.extract(_MEMBER, folder, filter="data")
    program = folder / _MEMBER
    program.chmod(0o755)
    program.rename(_kept())

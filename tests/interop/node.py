"""Programs of other implementations, run by Node: installed once from the lock, by their hashes.

The packages lie beside the environment of the tests, in a folder named after the lock, so another
lock is another folder. The lock holds versions and hashes and no addresses: where from is npm's
own setting.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import msgspec

HERE: Final = Path(__file__).parent
NEEDED: Final = (
    "these tests run programs of npm; install it with `apt-get install npm` (Node >= 20)"
)

_INSTALL_S, _RUN_S = 90, 60


class NodeMissing(Exception):
    """Node, npm or the packages are not to be had here; the message says what is missing."""


class Node:
    """Node with the packages of `package-lock.json`.

    Raises:
        NodeMissing: they are not there and cannot be had.
    """

    def __init__(self) -> None:
        if shutil.which("node") is None or shutil.which("npm") is None:
            raise NodeMissing(NEEDED)
        lock = (HERE / "package-lock.json").read_bytes()
        name = hashlib.sha256(lock).hexdigest()[:16]
        self.folder = Path(sys.prefix) / "interop" / name
        if not self.folder.exists():
            _install(self.folder)

    def run(self, script: str, given: Any, *, timeout_s: float = _RUN_S) -> Any:
        """What a script beside this file answers as JSON, when it is given JSON.

        Raises:
            AssertionError: it failed; with what it said.
        """
        program = self._placed(script)
        done = subprocess.run(
            ["node", str(program)],
            input=msgspec.json.encode(given),
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
        return msgspec.json.decode(done.stdout)

    def _placed(self, script: str) -> Path:
        """The script beside the packages: Node looks for them from where a module lies."""
        text = (HERE / script).read_bytes()
        stem, _, suffix = script.rpartition(".")
        placed = self.folder / f"{stem}-{hashlib.sha256(text).hexdigest()[:12]}.{suffix}"
        if not placed.exists():
            handle, part = tempfile.mkstemp(dir=self.folder)
            os.write(handle, text)
            os.close(handle)
            os.replace(part, placed)
        return placed


def _install(folder: Path) -> None:
    """Install beside and rename: several processes of one run may find nothing at once."""
    folder.parent.mkdir(exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent))
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, part)
    line = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        subprocess.run(line, cwd=part, capture_output=True, timeout=_INSTALL_S, check=True)
        os.replace(part, folder)
    except subprocess.SubprocessError as fault:
        said = getattr(fault, "stderr", None) or b""
        raise NodeMissing(f"npm could not install: {said.decode('utf-8', 'replace')}") from None
    except OSError:
        if not folder.exists():  # else another process was quicker
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)

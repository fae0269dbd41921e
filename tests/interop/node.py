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
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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

    @contextmanager
    def talk(self, script: str) -> Iterator[Talk]:
        """A script that stays and answers, until the block ends."""
        process = subprocess.Popen(
            ["node", str(self._placed(script))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            yield Talk(process)
        finally:
            process.kill()
            process.communicate()

    def _placed(self, script: str) -> Path:
        """The script among its like, beside the packages: Node looks for those from where a module
        lies."""
        texts = {path.name: path.read_bytes() for path in sorted(HERE.glob("*.mjs"))}
        told = hashlib.sha256(msgspec.json.encode(texts)).hexdigest()[:12]
        placed = self.folder / f"programs-{told}"
        if not placed.exists():
            part = Path(tempfile.mkdtemp(dir=self.folder))
            for name, text in texts.items():
                (part / name).write_bytes(text)
            _renamed(part, placed)
        return placed / script


class Talk:
    """A program with which JSON is exchanged, one value a line."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def say(self, value: Any) -> None:
        """Tell it something."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(value) + b"\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        """What it says next.

        Raises:
            AssertionError: it ended, or says nothing for too long; with what it said of that.
        """
        stdout, stderr = self._process.stdout, self._process.stderr
        assert stdout is not None
        assert stderr is not None
        watch = threading.Timer(_RUN_S, self._process.kill)
        watch.start()
        try:
            line = stdout.readline()
        finally:
            watch.cancel()
        assert line, stderr.read().decode("utf-8", "replace")
        return msgspec.json.decode(line)

    def ask(self, value: Any) -> Any:
        """Tell it something, and hear the answer."""
        self.say(value)
        return self.hear()


def _install(folder: Path) -> None:
    """Install beside and rename: several processes of one run may find nothing at once."""
    folder.parent.mkdir(exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent))
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, part)
    line = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        subprocess.run(line, cwd=part, capture_output=True, timeout=_INSTALL_S, check=True)
        _renamed(part, folder)
    except subprocess.SubprocessError as fault:
        said = getattr(fault, "stderr", None) or b""
        raise NodeMissing(f"npm could not install: {said.decode('utf-8', 'replace')}") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _renamed(part: Path, whole: Path) -> None:
    """Put a folder in its place; another process may have been quicker."""
    try:
        os.replace(part, whole)
    except OSError:
        if not whole.exists():
            raise
        shutil.rmtree(part)

"""A seeded city that stays up for a run's browser tests: `qianjiang up`, as people start it."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.local import upfile
from gateway.local.city import LocalCity
from gateway.local.places import Places
from gateway.local.upfile import UpFile
from tests.outside import Outside

ROOT = Path(__file__).parents[2]
#: Generated people with facts, consents and promises; those of higher numbers are strangers who
#: get a record when they first sign in.
SEEDED = 40


class Site(Outside):
    """The running city, seen from outside."""

    def __init__(self, data: Path, up: UpFile) -> None:
        super().__init__(up)
        self.data = data
        self._strangers = itertools.count(SEEDED + 1)
        self._known = iter(range(1, SEEDED + 1))

    @property
    def owner_url(self) -> str:
        """The database as its owner, for tests that arrange rows."""
        return LocalCity(self.data).owner_url

    def stranger(self) -> str:
        """The login of an adult who was never here; another at each call."""
        return f"person-{next(self._strangers)}"

    def known(self) -> str:
        """The login of a generated person with a record; another at each call."""
        return f"person-{next(self._known)}"


@contextmanager
def open_site(data: Path) -> Iterator[Site]:
    """Bring it up in a folder of its own, and end it with everything that it started."""
    environment = {
        **os.environ,
        "QIANJIANG_DATA": str(data),
        "QIANJIANG_PORT": "0",
        "QIANJIANG_WORKERS": "2",
    }
    command = [sys.executable, "-m", "gateway.cli", "up", "--citizens", str(SEEDED)]
    log = (data / "up.log").open("w")
    with log, subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log) as up:
        try:
            yield Site(data / "up", _wait(up, data / "up" / upfile.NAME))
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(30)
            Places.of(data / "up").remove()


def _wait(up: subprocess.Popen[bytes], file: Path) -> UpFile:
    deadline = time.monotonic() + 90
    while not file.exists():
        assert up.poll() is None, (file.parents[1] / "up.log").read_text()
        assert time.monotonic() < deadline, "the city took too long"
        time.sleep(0.05)
    return upfile.read(file)

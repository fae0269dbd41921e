"""Counts that outlive a process: the processes behind one metrics address share a folder.

Each process takes a seat: it holds a lock for as long as it lives, by whatever death the kernel
gives it back, and once a second it writes what it has counted. Whoever takes the seat next goes on
from the numbers that it finds. So the sum over all seats never falls while the machine runs, the
seats are as many as ever lived at the same time, and nobody has to clear up after the dead.

The folder lies in memory where there is such a place. It belongs to one address, which one process
at a time can listen on: a second city on the machine has another address and another folder. What
is left of cities that ended is removed by the next that starts.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from gateway.counts import Series

_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # what is made there is private, and checked

#: Processes of one machine behind one address.
SEATS_MAX: Final = 256


class SeatsRefused(Exception):
    """The folder cannot be used: it is somebody else's, or open to others."""


class Snapshot(msgspec.Struct, frozen=True):
    """What is written on a seat: what this process and those before it on the seat counted.

    `at` is when (monotonic seconds; 0 for a process that has ended), `process` what kind of
    process it is. `gauges` are this process's own; `stalls` are as in gateway/pulse.py.
    """

    process: str
    at: float
    series: Series
    gauges: dict[tuple[str, ...], float]
    stalls: list[tuple[str, float, float]]


EMPTY: Final = Snapshot("", 0.0, {}, {}, [])

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Snapshot)


class Seat:
    """A seat that this process holds."""

    def __init__(self, path: Path, lock: int) -> None:
        self._path, self._lock = path, lock
        #: What was on it when it was taken.
        self.found = _read(path) or EMPTY

    def write(self, snapshot: Snapshot) -> None:
        """Replace what is written, whole or not at all.

        Raises:
            OSError: it cannot be written; FileNotFoundError if the folder is gone.
        """
        partial = self._path.with_suffix(".partial")
        partial.write_bytes(_encode(snapshot))
        partial.replace(self._path)

    def leave(self) -> None:
        """Let the next one have it."""
        os.close(self._lock)


def home() -> Path:
    """Where this user's folders are.

    Raises:
        SeatsRefused: somebody else made it first.
    """
    roomy = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK)
    place = _MEMORY if roomy else Path(tempfile.gettempdir())
    return _private(place / f"qianjiang-metrics-{os.geteuid()}")


def folder_of(host: str, port: int) -> Path:
    """The folder of an address; it may not be there yet."""
    word = "".join(letter if letter.isalnum() or letter in ".-" else "_" for letter in host)
    return home() / f"{word}-{port}"


def take(folder: Path) -> Seat | None:
    """A free seat, or None while another process is looking for one.

    Raises:
        SeatsRefused, OSError: there is none, or the folder cannot be used.
    """
    with _alone(folder.parent) as alone:
        if not alone:
            return None
        _sweep(folder)
        _private(folder)
        for number in range(SEATS_MAX):
            path = folder / f"{number}"
            lock = _locked(path.with_suffix(".lock"))
            if lock is not None:
                return Seat(path, lock)
    raise SeatsRefused(f"more than {SEATS_MAX} processes")


def read_all(folder: Path) -> list[Snapshot]:
    """What is written on every seat; one that cannot be read is left out."""
    found = (_read(lock.with_suffix("")) for lock in sorted(folder.glob("*.lock")))
    return [snapshot for snapshot in found if snapshot is not None]


def _read(path: Path) -> Snapshot | None:
    # One that another version wrote in another form counts for nothing: counting begins anew.
    with suppress(OSError, msgspec.DecodeError):
        return _decoder.decode(path.read_bytes())
    return None


@contextmanager
def _alone(base: Path) -> Iterator[bool]:
    """Whether nobody else takes a seat or sweeps while the block runs."""
    lock = _locked(base / "lock")
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)


def _sweep(own: Path) -> None:
    """Remove folders of other addresses on which nobody sits any more."""
    for folder in own.parent.iterdir():
        if folder.is_dir() and folder != own and not _occupied(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _occupied(folder: Path) -> bool:
    for path in folder.glob("*.lock"):
        lock = _locked(path)
        if lock is None:
            return True
        os.close(lock)
    return False


def _locked(path: Path) -> int | None:
    """The open lock file, or None where another process holds it."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _private(folder: Path) -> Path:
    """The folder, made if missing, for its owner alone. One that is otherwise is never mended:
    in a shared place anybody could have put the name there first."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    if not private or found.st_uid != os.geteuid():
        raise SeatsRefused(f"{folder} is not a private folder of ours")
    return folder

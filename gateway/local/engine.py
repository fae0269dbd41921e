"""What the two engines share: a process that is started, watched, stopped, never orphaned."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gateway.errors import GatewayError
from gateway.local.places import Places
from gateway.processes import Account, tethered

POLL_SECONDS = 0.005


class EngineFailed(GatewayError):
    """An engine did not start or stop in its time; the message holds the end of its log."""


class Engine:
    """One child process with a log, private files and a bounded start and stop."""

    name: str
    start_seconds_max = 20.0
    stop_seconds_max = 20.0
    signal_on_death = signal.SIGTERM

    def __init__(self, data: Path) -> None:
        self.places = Places.of(data)
        self.folder = self.places.folder(self.name)
        self.log = self.places.log(self.name)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the running engine.

        Raises EngineFailed when it is not running.
        """
        if self._process is None or self._process.poll() is not None:
            raise EngineFailed(f"{self.name} is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the engine's process lives."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL, as a crash would: nothing is flushed, lock files stay."""
        self._end(signal.SIGKILL)

    def _launch(self, command: list[str], environment: dict[str, str]) -> None:
        # The engine's life hangs on the thread that forks it; only the main thread surely stays.
        if threading.current_thread() is not threading.main_thread():
            raise EngineFailed(f"{self.name} must be started from the main thread")
        line = tethered(command, signal_on_death=self.signal_on_death, account=self.places.account)
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches the supervisor, which stops things in order.
            self._process = subprocess.Popen(
                line,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=environment,
                start_new_session=True,
            )

    def _wait_until(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self.start_seconds_max
        while not ready():
            if not self.running or time.monotonic() > deadline:
                self.kill()
                raise EngineFailed(f"{self.name} did not start:\n{tail(self.log)}")
            time.sleep(POLL_SECONDS)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        try:
            self._process.wait(self.stop_seconds_max)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(self.stop_seconds_max)
        self._process = None


def runnable(program: Path, account: Account | None) -> bool:
    """Whether that user may run the program: tried, since only the kernel knows every obstacle."""
    try:
        done = subprocess.run(
            [program, "--version"],
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            capture_output=True,
            check=False,
            cwd="/",
            timeout=10,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def copied(folder: Path, parts: list[str], target: Path, account: Account | None) -> Path:
    """A copy of these parts of a folder, side by side, that belongs to `account`.

    Made once per version, whole or not at all.
    """
    stamp = f"{(folder / parts[0]).stat().st_mtime_ns:x}"
    copy = target.with_name(f"{target.name}-{stamp}")
    if not copy.exists():
        partial = copy.with_name(f"{copy.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        for part in parts:
            if (folder / part).is_dir():
                shutil.copytree(folder / part, partial / part, symlinks=True)
            elif (folder / part).exists():
                shutil.copy2(folder / part, partial / part)
        if account is not None:
            # Whatever the modes of the original, its new owner can read and run it.
            for path in (partial, *partial.rglob("*")):
                os.chown(path, account.uid, account.gid, follow_symlinks=False)
        partial.rename(copy)
    return copy


def tail(log: Path, lines: int = 12) -> str:
    """The end of a log, for an error message."""
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])

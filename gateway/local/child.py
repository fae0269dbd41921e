"""A child process: started with a log, waited for, ended in bounded time, never orphaned."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from gateway.errors import GatewayError
from gateway.processes import Account, tethered

POLL_SECONDS = 0.005
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class ChildFailed(GatewayError):
    """A process did not start or stop in its time; the message holds the end of its log."""


class Child:
    """One process of ours, by name, with a log of its own."""

    start_seconds_max = 60.0  # a busy machine; a child that ends is noticed at once
    stop_seconds_max = 20.0

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id. Raises ChildFailed when it is not running."""
        if self._process is None or self._process.poll() is not None:
            raise ChildFailed(f"{self.name} is not running")
        return self._process.pid

    def launch(
        self,
        command: list[str],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        account: Account | None = None,
        signal_on_death: signal.Signals = signal.SIGKILL,
    ) -> None:
        """Start it. It sees no environment but a fixed one and what is given here."""
        # Its life hangs on the thread that forks it, and only the main thread surely stays.
        if threading.current_thread() is not threading.main_thread():
            raise ChildFailed(f"{self.name} must be started from the main thread")
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C reaches the supervisor, which stops things in order.
            self._process = subprocess.Popen(
                tethered(command, signal_on_death=signal_on_death, account=account),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env={**_ENVIRONMENT, **(environment or {})},
                start_new_session=True,
            )

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait for it to be of use. Raises ChildFailed when it ends first or takes too long."""
        deadline = time.monotonic() + self.start_seconds_max
        while not ready():
            if not self.running:
                raise ChildFailed(f"{self.name} ended while starting:\n{self.tail()}")
            if time.monotonic() > deadline:
                self.kill()
                seconds = f"{self.start_seconds_max:.0f} s"
                raise ChildFailed(f"{self.name} was not ready in {seconds}:\n{self.tail()}")
            time.sleep(POLL_SECONDS)

    def finish(self) -> None:
        """Wait for a command that ends by itself. Raises ChildFailed unless it succeeds."""
        assert self._process is not None, "launched before"
        with suppress(subprocess.TimeoutExpired):
            if self._process.wait(self.start_seconds_max) == 0:
                self._process = None
                return
        self.kill()
        raise ChildFailed(f"{self.name} failed:\n{self.tail()}")

    def kill(self) -> None:
        """SIGKILL, as a crash would: nothing is flushed, lock files stay."""
        self.end(signal.SIGKILL)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal and wait for the end; SIGKILL when that takes too long."""
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

    def tail(self, lines: int = 12) -> str:
        """The end of its log, for an error message."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

"""The processes of a local city: started one after the other, stopped the other way round."""

import http.client
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType

from gateway.local.child import Child

_PROBE_SECONDS = 1.0
_WATCH_SECONDS = 0.1


class Supervisor:
    """Children with a log each in `logs`; a `with` block ends whatever was started in it.

    A child is killed when the supervisor dies, however that happens, and so is what it started if
    it ties that to itself, as the server does its workers (`gateway.processes`).
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []
        self._awaited: list[tuple[Child, Callable[[], bool]]] = []

    def start(
        self,
        name: str,
        command: list[str],
        *,
        environment: Mapping[str, str],
        ready: Callable[[], bool],
    ) -> Child:
        """Start a child and wait until it is ready.

        Raises ChildFailed with the end of its log when it ends first or takes over a minute.
        """
        child = self.launch(name, command, environment=environment, ready=ready)
        self.wait()
        return child

    def launch(
        self,
        name: str,
        command: list[str],
        *,
        environment: Mapping[str, str],
        ready: Callable[[], bool],
    ) -> Child:
        """Start a child and leave the waiting for it to `wait`."""
        child = Child(name, self._logs / f"{name}.log")
        self._children.append(child)
        child.launch(command, environment=environment)
        self._awaited.append((child, ready))
        return child

    def wait(self) -> None:
        """Wait until every child launched so far is ready. Raises ChildFailed as `start` does."""
        while self._awaited:
            child, ready = self._awaited.pop(0)
            child.wait_until(ready)

    def watch(self) -> Child:
        """Wait for as long as all children live; the first that ended."""
        return watch([self])

    def ended(self) -> Child | None:
        """A child that lives no more, if there is one."""
        return next((child for child in self._children if not child.running), None)

    def stop(self) -> None:
        """End all, the last started first, each in bounded time."""
        while self._children:
            self._children.pop().end(signal.SIGTERM)

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def watch(supervisors: Sequence[Supervisor]) -> Child:
    """Wait for as long as all children of all of them live; the first that ended."""
    while True:
        for supervisor in supervisors:
            if (ended := supervisor.ended()) is not None:
                return ended
        time.sleep(_WATCH_SECONDS)


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at this moment."""
    return free_ports([host])[0]


def free_ports(hosts: list[str]) -> list[int]:
    """A free port for each host, all different: picked together, before anything starts."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in hosts]
        for listener, host in zip(sockets, hosts, strict=True):
            listener.bind((host, 0))
        return [int(listener.getsockname()[1]) for listener in sockets]


def listening(host: str, port: int) -> bool:
    """Whether something accepts connections there."""
    with suppress(OSError), socket.create_connection((host, port), timeout=_PROBE_SECONDS):
        return True
    return False


def answers(host: str, port: int, path: str) -> Callable[[], bool]:
    """A readiness check: whether a GET there is answered with 200."""

    def check() -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=_PROBE_SECONDS)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return check


def stop_on_sigterm() -> None:
    """Treat SIGTERM and SIGHUP as Ctrl-C, so that every `with` block and `finally` runs.

    What is raised names its signal, for `gateway.cli.ended_by`.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)

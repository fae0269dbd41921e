"""The server's processes: they share the load, die singly, and end in order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from gateway.local.child import Child
from gateway.local.processes import Supervisor, answers, free_port, listening
from gateway.server import command, reserved
from gateway.workers import RESTART_S, Worker
from loadtest import cpu
from tests.gateway.local.test_processes import APP, HOST, NOTHING, within

SLOW = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
FAST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Served(msgspec.Struct, frozen=True):
    """A server with two workers."""

    child: Child
    port: int

    @property
    def workers(self) -> set[int]:
        return set(cpu.tree(self.child.pid)) - {self.child.pid}

    def ask(self, request: bytes) -> socket.socket:
        """A connection on which this was said."""
        connection = socket.create_connection((HOST, self.port), timeout=5)
        connection.sendall(request)
        return connection

    def who(self) -> int:
        """Which process answers; 0 for a connection that breaks."""
        try:
            with self.ask(FAST) as connection:
                return answered(connection)
        except OSError:
            return 0

    def both(self) -> set[int]:
        """The processes that answer now."""
        return {self.who() for _ in range(24)}


def answered(connection: socket.socket) -> int:
    """The process that an answer names."""
    return int(connection.recv(4096).rpartition(b"\r\n\r\n")[2])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    port = free_port(HOST)
    with Supervisor(tmp_path) as supervisor:
        line = command(HOST, port, 2, APP)
        ready = answers(HOST, port, "/")
        child = supervisor.start("gateway", line, environment=NOTHING, ready=ready)
        found = Served(child, port)
        assert within(20, lambda: len(found.both()) == 2)
        yield found


def test_a_crowd_that_comes_at_once_is_shared_between_the_workers(served: Served) -> None:
    with ExitStack() as stack:
        crowd = [
            stack.enter_context(socket.create_connection((HOST, served.port), timeout=5))
            for _ in range(128)
        ]
        for connection in crowd:
            connection.sendall(FAST)
        counts = Counter(answered(connection) for connection in crowd)
    assert counts.keys() == served.workers
    # Each connection goes to either by its hash: fewer than 32 would come once in 10^7 times.
    assert min(counts.values()) >= 32, counts


def test_workers_that_die_again_and_again_are_replaced_again_and_again(served: Served) -> None:
    for _ in range(2):
        before = served.both()
        assert len(before) == 2
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        assert within(20, lambda: len((now := served.both()) - {0}) == 2 and not now & before)  # noqa: B023  called at once
    assert "worker_ended" in served.child.log.read_text()


def test_one_worker_serves_while_the_other_is_gone(served: Served) -> None:
    victim = served.who()
    os.kill(victim, signal.SIGKILL)
    left = served.workers - {victim}
    # What waited in the dead one's queue is reset; whoever comes after it is served.
    assert within(RESTART_S / 2, lambda: served.both() == left)


def test_what_is_under_way_is_answered_when_the_server_ends(served: Served) -> None:
    with served.ask(SLOW) as slow, served.ask(FAST) as idle:
        answered(idle)
        time.sleep(0.1)
        os.kill(served.child.pid, signal.SIGTERM)
        answer = slow.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"\r\nconnection: close\r\n" in answer
        assert slow.recv(1) == idle.recv(1) == b""
    assert within(3, lambda: not served.child.running)
    assert not listening(HOST, served.port)


def test_a_worker_that_does_not_end_is_killed_in_its_time(tmp_path: Path) -> None:
    mark = tmp_path / "deaf"
    code = "import signal, sys; signal.signal(15, signal.SIG_IGN); open(sys.argv[1], 'w').close()"
    worker = Worker([sys.executable, "-c", f"{code}\nwhile True: signal.pause()", str(mark)])
    worker.fill()
    assert within(5, mark.exists)
    worker.ask_to_end()
    started = time.monotonic()
    worker.wait(started + 0.2)
    assert 0.2 <= time.monotonic() - started < 5
    assert worker.ended() == -signal.SIGKILL


def test_a_worker_is_not_started_twice_within_a_second() -> None:
    worker = Worker([sys.executable, "-c", ""])
    worker.fill()
    first = time.monotonic()
    assert within(5, lambda: worker.ended() == 0)
    worker.fill()
    assert worker.ended() is None
    assert within(5, lambda: worker.fill() or worker.ended() == 0)  # type: ignore[func-returns-value]  # to go on
    assert time.monotonic() - first >= RESTART_S


def run(port: int, app: str) -> subprocess.CompletedProcess[str]:
    """A server that is expected to end by itself."""
    line = command(HOST, port, 2, app)
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=30)


def test_a_server_whose_workers_cannot_begin_ends_and_leaves_a_line() -> None:
    done = run(free_port(HOST), "tests.gateway.local.served:create_nothing")
    assert done.returncode == 1
    assert "RuntimeError" in done.stderr
    assert "worker_ended" in done.stderr


def test_a_port_that_is_taken_is_said_in_words(served: Served) -> None:
    done = run(served.port, APP)
    assert done.returncode == 1
    assert done.stderr == f"cannot listen on {HOST} port {served.port}: Address already in use\n"
    assert len(served.both()) == 2


def test_a_reserved_port_takes_no_connection_and_lets_no_stranger_in() -> None:
    port = free_port(HOST)
    with reserved(HOST, port), socket.socket() as stranger:
        assert not listening(HOST, port)
        with pytest.raises(OSError, match="in use"):
            stranger.bind((HOST, port))

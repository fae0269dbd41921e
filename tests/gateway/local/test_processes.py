"""However a process of the city ends, nothing of ours goes on running and no port stays open."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.local.child import Child, ChildFailed
from gateway.local.processes import Supervisor, answers, free_port, free_ports, listening
from gateway.server import command

HOST = "127.0.0.1"
ROOT = Path(__file__).parents[3]
NOTHING: dict[str, str] = {}
APP = "tests.gateway.local.served:create_app"


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def ask(port: int) -> int:
    """The process id of a worker that answered."""
    with urllib.request.urlopen(f"http://{HOST}:{port}/", timeout=2) as answer:
        return int(answer.read())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Child, int]]:
    """A server with two workers, ready."""
    port = free_port(HOST)
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start(
            "gateway",
            command(HOST, port, 2, APP),
            environment=NOTHING,
            ready=answers(HOST, port, "/"),
        )
        yield child, port
    assert not listening(HOST, port)


def test_a_killed_server_leaves_no_worker_serving(server: tuple[Child, int]) -> None:
    child, port = server
    child.kill()
    assert within(5, lambda: not listening(HOST, port))


def test_a_killed_worker_is_replaced(server: tuple[Child, int]) -> None:
    child, port = server
    victim = ask(port)
    assert victim != child.pid
    os.kill(victim, signal.SIGKILL)
    assert within(10, lambda: replaced(port, victim))


def replaced(port: int, victim: int) -> bool:
    """Whether both workers answer again, neither of them the victim."""
    try:
        pids = {ask(port) for _ in range(20)}
    except OSError:
        return False
    return len(pids) == 2 and victim not in pids


SUPERVISE = """
import sys, time
from pathlib import Path
from gateway.local.processes import Supervisor, answers
from gateway.server import command
from tests.gateway.local.test_processes import APP, HOST
port = int(sys.argv[1])
with Supervisor(Path(sys.argv[2])) as supervisor:
    line = command(HOST, port, 2, APP)
    supervisor.start("gateway", line, environment={}, ready=answers(HOST, port, "/"))
    print("ready", flush=True)
    time.sleep(60)
"""


def test_a_killed_supervisor_leaves_no_server(tmp_path: Path) -> None:
    port = free_port(HOST)
    command = [sys.executable, "-c", SUPERVISE, str(port), str(tmp_path)]
    supervisor = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == "ready\n"
    assert listening(HOST, port)
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    assert within(5, lambda: not listening(HOST, port))


TELL_AT_THE_END = """
import signal, sys
name, record, ready = sys.argv[1:]

def tell(*_):
    with open(record, "a") as file:
        print(name, file=file)
    sys.exit()

signal.signal(signal.SIGTERM, tell)
open(ready, "w").close()
while True:
    signal.pause()
"""


def test_children_stop_in_reverse_order(tmp_path: Path) -> None:
    record = tmp_path / "order"
    with Supervisor(tmp_path) as supervisor:
        for name in ("first", "second", "third"):
            ready = tmp_path / f"{name}.ready"
            command = [sys.executable, "-c", TELL_AT_THE_END, name, str(record), str(ready)]
            supervisor.start(name, command, environment=NOTHING, ready=ready.exists)
    assert record.read_text().split() == ["third", "second", "first"]


def test_a_child_that_ends_while_starting_shows_the_end_of_its_log(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor, pytest.raises(ChildFailed) as failure:
        supervisor.start(
            "broken",
            [sys.executable, "-c", "import sys; sys.exit('the key file is missing')"],
            environment=NOTHING,
            ready=lambda: False,
        )
    assert "broken ended while starting" in str(failure.value)
    assert "the key file is missing" in str(failure.value)


def test_a_child_that_is_never_ready_is_ended_in_time(tmp_path: Path) -> None:
    child = Child("idle", tmp_path / "idle.log")
    child.start_seconds_max = 0.2
    child.launch([sys.executable, "-c", "import signal; signal.pause()"])
    with pytest.raises(ChildFailed, match="idle was not ready"):
        child.wait_until(lambda: False)
    assert not child.running


def test_a_child_that_ignores_its_signal_is_killed(tmp_path: Path) -> None:
    child = Child("deaf", tmp_path / "deaf.log")
    child.stop_seconds_max = 0.2
    mark = tmp_path / "deaf"
    code = "import signal, sys; signal.signal(15, signal.SIG_IGN); open(sys.argv[1], 'w').close()"
    child.launch([sys.executable, "-c", f"{code}\nwhile True: signal.pause()", str(mark)])
    child.wait_until(mark.exists)
    child.end()
    assert not child.running


def test_watching_names_the_child_that_ended(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        wait = [sys.executable, "-c", "import sys, time; time.sleep(float(sys.argv[1]))"]
        supervisor.start("long", [*wait, "60"], environment=NOTHING, ready=lambda: True)
        supervisor.start("short", [*wait, "0.1"], environment=NOTHING, ready=lambda: True)
        assert supervisor.watch().name == "short"


def test_a_child_sees_only_the_environment_it_is_given(tmp_path: Path) -> None:
    child = Child("env", tmp_path / "env.log")
    child.launch(["/usr/bin/env"], environment={"QIANJIANG_WORKERS": "2"})
    child.finish()
    names = {line.partition("=")[0] for line in child.log.read_text().splitlines()}
    assert names == {"PATH", "LC_ALL", "TZ", "QIANJIANG_WORKERS"}


ORPHAN = """
import os, signal, sys, time
from gateway.processes import die_with_parent
die_with_parent(signal.SIGTERM, parent=os.getppid() + 1_000_000)
print("survived")
"""


def test_a_process_whose_parent_has_ended_already_ends_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN], cwd=ROOT, check=False, capture_output=True
    )
    assert done.returncode == -signal.SIGTERM
    assert done.stdout == b""


def test_free_ports_are_free_and_differ() -> None:
    ports = free_ports([HOST, HOST, "127.0.0.2"])
    assert len(set(ports[:2])) == 2
    assert not any(listening(HOST, port) for port in ports)

"""A city that is told to end says by what, in one line, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.local import upfile
from gateway.local.places import LOCK, Places


def ended(command: str, number: signal.Signals, data: Path, once: str) -> tuple[int, str]:
    """End a command with a signal once a file is there: its exit code and its last line."""
    port = ["--port", "0"] if command == "up" else []
    words = [sys.executable, "-m", "gateway.cli", command, "--citizens", "1", *port]
    environment = {**os.environ, "QIANJIANG_DATA": str(data)}
    with subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        deadline = time.monotonic() + 60
        while not (data / command / once).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        running.send_signal(number)
        output, _ = running.communicate(timeout=30)
    Places.of(data / command).remove()
    assert "Traceback" not in output
    return running.returncode, output.splitlines()[-1]


@pytest.mark.parametrize(
    ("command", "number"),
    [("demo", signal.SIGTERM), ("up", signal.SIGHUP), ("up", signal.SIGINT)],
)
def test_a_city_that_is_ended_while_it_starts_says_by_what(
    tmp_path: Path, command: str, number: signal.Signals
) -> None:
    assert ended(command, number, tmp_path, LOCK) == (1, f"Error: ended by {number.name}")


@pytest.mark.nightly
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_city_that_is_up_ends_well_and_says_by_what(
    tmp_path: Path, number: signal.Signals
) -> None:
    said = f"ended by {number.name}; stopping"
    assert ended("up", number, tmp_path, upfile.NAME) == (0, said)

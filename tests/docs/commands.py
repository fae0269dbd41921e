"""A page's commands, run word for word against cities of this machine, and what they print compared
with what the page shows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from gateway.local import upfile
from gateway.local.places import Places
from tests.docs.pages import ROOT, blocks

MARK = "@@ end of block @@"
#: Members whose very value a page promises.
PROMISED = {"status", "outcome", "token_type", "expires_in", "scope", "scenario", "kty", "alg"}
#: Members that have no value in a city that has just begun.
EMPTY_AT_FIRST = {"score_as_of"}


@contextmanager
def up(data: Path, *words: str, folders: tuple[str, ...] = ("up",)) -> Iterator[dict[str, str]]:
    """The environment in which `qianjiang up` has brought small cities up; they keep their data in
    these folders."""
    environment = {
        **os.environ,
        "QIANJIANG_DATA": str(data),
        "QIANJIANG_PORT": "0",
        "QIANJIANG_WORKERS": "1",
    }
    command = [sys.executable, "-m", "gateway.cli", "up", "--citizens", "1", *words]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE) as running:
        try:
            _wait(running, data / folders[-1] / upfile.NAME)
            yield environment
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(60)
            for folder in folders:
                Places.of(data / folder).remove()


def _wait(running: subprocess.Popen[bytes], file: Path) -> None:
    deadline = time.monotonic() + 120
    while not file.exists():
        assert running.poll() is None, "the city did not come up"
        assert time.monotonic() < deadline, "the city took too long"
        time.sleep(0.05)


def follow(page: Path, environment: Mapping[str, str], timeout_s: float) -> int:
    """Run the page's `sh` blocks in one shell; what stands in the block after one is what it
    prints. Returns how many outputs were compared."""
    said = blocks(page)
    scripts = [block.text for block in said if block.language == "sh"]
    # What a page left running ends with a page that failed, too.
    first = "set -euo pipefail\ntrap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT"
    script = "\n".join([first, *(f"{each}\necho '{MARK}'" for each in scripts)])
    done = subprocess.run(
        ["bash", "-c", script],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = iter(done.stdout.split(f"{MARK}\n"))
    compared = 0
    for block, following in pairwise([*said, said[0]]):
        if block.language != "sh":
            continue
        output = next(outputs)
        if following.language == "json":
            assert_alike(json.loads(output), json.loads(following.text))
        elif following.language == "text":
            assert_lines_alike(output, following.text)
        compared += following.language in ("json", "text")
    return compared


def assert_alike(actual: Any, shown: Any, name: str = "") -> None:
    """The same members of the same types all the way down, and what is promised word for word."""
    if name in EMPTY_AT_FIRST and actual is None:
        return
    assert type(actual) is type(shown), name
    if isinstance(shown, dict):
        assert actual.keys() == shown.keys(), name
        for key, value in shown.items():
            assert_alike(actual[key], value, key)
    elif isinstance(shown, list):
        assert_alike(actual[0], shown[0], name)
    elif name in PROMISED:
        assert actual == shown, name


def assert_lines_alike(output: str, shown: str) -> None:
    """Line by line: words as they stand, JSON by its shape, ids by their length; … cuts a line."""
    lines = list(zip(output.splitlines(), shown.splitlines(), strict=False))
    assert len(lines) == len(shown.splitlines()), output
    for actual, line in lines:
        if line.startswith("{"):
            assert_alike(json.loads(actual), json.loads(line))
        elif _is_id(line):
            assert len(actual) == len(line)
        else:
            assert actual.startswith(line.partition("…")[0].rstrip()), output
    ids = [actual for actual, line in lines if _is_id(line)]
    assert len(set(ids)) <= 1, "a repeated question has one decision"


def _is_id(line: str) -> bool:
    return line.count("-") == 4 and " " not in line

"""The crowd of `loadtest/users` gets done what its kinds come for, on a running city, and a run
that misses a budget ends badly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from gateway.local import upfile
from gateway.local.places import Places

ROOT = Path(__file__).parents[2]

#: What must have been asked, and answered as expected, for every kind to have done its part.
EVERYTHING = {
    "Merchant": {"a party: token", "a merchant asks"},
    "Hospital": {"a hospital asks"},
    "Library": {"a library asks"},
    "SigningIn": {
        *("a citizen: to sign in", "identity provider: form", "identity provider: who it is"),
        *("a citizen: back, signed in", "a citizen: me", "a citizen: sign out"),
    },
    "Reading": {"a citizen: who asked"},
    "Granting": {
        *("a party: asks for a consent", "a citizen: reads the request", "a citizen: grants"),
        *("a party: learns of the grant", "asks after a grant"),
    },
    "Promising": {
        *("a citizen: registers a device", "a citizen: reads a promise"),
        "a citizen: signs a promise",
    },
    "Withdrawing": {
        *("asks before a withdrawal", "a citizen: withdraws", "asks after a withdrawal"),
    },
}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The up.json of a small city that `qianjiang up` has brought up."""
    data = tmp_path_factory.mktemp("crowd")
    environment = {**os.environ, "QIANJIANG_DATA": str(data), "QIANJIANG_PORT": "0"}
    line = [sys.executable, "-m", "gateway.cli", "up", "--citizens", "120", "--workers", "1"]
    with subprocess.Popen(line, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL) as city:
        try:
            file, deadline = data / "up" / upfile.NAME, time.monotonic() + 60
            while not file.exists():
                assert city.poll() is None, "the city did not come up"
                assert time.monotonic() < deadline, "the city took too long"
                time.sleep(0.05)
            yield file
        finally:
            city.send_signal(signal.SIGTERM)
            city.wait(30)
            Places.of(data / "up").remove()


def locust(up: Path, seconds: int, users: int, *kinds: str) -> subprocess.CompletedProcess[str]:
    """A run of the crowd; its figures are JSON on standard output."""
    line = [
        *(sys.executable, "-m", "locust", "-f", "loadtest/users", "--headless", "--json"),
        *("--users", str(users), "--spawn-rate", str(users), "--run-time", f"{seconds}s"),
        *("--day", "3600", "--up", str(up), *kinds),
    ]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_every_kind_of_caller_is_answered_as_it_must(up: Path) -> None:
    done = locust(up, 4, 22)
    assert done.returncode == 0, done.stderr[-3000:]
    figures = {row["name"]: row for row in json.loads(done.stdout)}
    for kind, names in EVERYTHING.items():
        assert names <= figures.keys(), kind
    assert figures.keys() - set().union(*EVERYTHING.values()) <= {"a citizen: why"}
    assert {name: row["num_failures"] for name, row in figures.items() if row["num_failures"]} == {}
    assert figures["a hospital asks"]["num_requests"] > figures["a merchant asks"]["num_requests"]


def other(file: upfile.UpFile, folder: Path) -> upfile.UpFile:
    """Names in another order: the expectations are of other people."""
    turned = folder / "turned.txt"
    turned.write_text("\n".join(reversed(Path(file.subjects_file).read_text().split())))
    return msgspec.structs.replace(file, subjects_file=str(turned))


def locked_out(file: upfile.UpFile, folder: Path) -> upfile.UpFile:
    """A merchant with somebody else's key."""
    stranger = file.party("example-flats").jwk
    parties = [
        msgspec.structs.replace(party, jwk=stranger) if "bikes" in party.client_id else party
        for party in file.parties
    ]
    return msgspec.structs.replace(file, parties=parties)


@pytest.mark.parametrize(
    ("twist", "words"),
    [
        (other, ["a merchant asks: ", "unexpected outcome: standard_path"]),
        (locked_out, ["requests failed", "Merchant got nothing done"]),
    ],
)
def test_a_missed_budget_ends_the_run_badly(
    up: Path,
    tmp_path: Path,
    twist: Callable[[upfile.UpFile, Path], upfile.UpFile],
    words: list[str],
) -> None:
    twisted = tmp_path / upfile.NAME
    upfile.write(twisted, twist(upfile.read(up), tmp_path))
    done = locust(twisted, 3, 2, "Merchant")
    assert done.returncode == 1, done.stderr[-3000:]
    missed = [line for line in done.stderr.splitlines() if "budget missed" in line]
    assert all(any(word in line for line in missed) for word in words), missed

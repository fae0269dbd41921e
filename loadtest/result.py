"""The result of a session: every section's raw rounds, the conditions, the targets. A JSON file."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from loadtest import calls, population, stages
from loadtest.accounts import Account
from loadtest.conditions import Conditions
from loadtest.sections.authzen import AuthZen
from loadtest.sections.flat import Flat
from loadtest.sections.latency import Latency
from loadtest.sections.overload import Overload
from loadtest.sections.pairs import Pairs
from loadtest.sections.peers import Peers
from loadtest.targets import Target

#: Where published results are kept; the newest is the last by name.
FOLDER = Path(__file__).parent / "results"

_PUBLISHED = re.compile(r"\d{4}-\d\d-\d\d\.json")


class Sections(msgspec.Struct, kw_only=True):
    """What was measured; None where a section did not run, or failed."""

    pairs: Pairs | None = None
    peers: Peers | None = None
    latency: Latency | None = None
    authzen: AuthZen | None = None
    overload: Overload | None = None
    flat: Flat | None = None
    calls: calls.Report | None = None
    stages: stages.Profile | None = None
    memory: population.Report | None = None

    def accounts(self) -> Iterator[Account]:
        """The accounts of all runs that recorded decisions."""
        for each in (self.pairs, self.peers, self.latency, self.authzen, self.overload):
            if each is not None:
                yield from each.accounts


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One session. `failures` are sections by the reason why they did not end."""

    date: datetime.date
    quick: bool
    took_s: float
    conditions: Conditions | None
    sections: Sections
    failures: dict[str, str]
    targets: list[Target]


def write(result: Result, path: Path) -> None:
    """Write a result where it will be found."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")


def read(path: Path) -> Result:
    """A result that was written.

    Raises:
        msgspec.ValidationError: it is one of another version of these measurements.
    """
    return msgspec.json.decode(path.read_bytes(), type=Result)


def newest(folder: Path = FOLDER) -> Path | None:
    """The newest published result, if there is one."""
    found = [path for path in folder.glob("*.json") if _PUBLISHED.fullmatch(path.name)]
    return max(found, key=lambda path: path.name, default=None)

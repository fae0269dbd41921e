"""A session of measurements: every section in turn, one result with everything in it.

`make bench`, or `qianjiang bench` from a checkout. A section that fails is recorded with its reason
and the rest goes on. Ratios inside one run mean something; absolute figures are this machine's.
"""

from __future__ import annotations

import asyncio
import datetime
import importlib
import importlib.util
import re
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from loadtest.conditions import Conditions, Machine, conditions, machine
from loadtest.countdown import Countdown
from loadtest.options import QUICK, Options
from loadtest.result import FOLDER, Result, Sections, write
from loadtest.sections import (
    NotBuilt,
    authzen,
    calls,
    flat,
    latency,
    memory,
    overload,
    pairs,
    peers,
    stages,
)
from loadtest.serving import Progress, throw_away_city
from loadtest.targets import computed

#: Partial and quick results go here, since they are not for publication; git ignores it.
DRAFTS = Path(__file__).parent.parent / "build" / "bench"

#: Seconds that a city with its people and gateway takes, and those of a citizen of a big city.
_TOWN_S, _CITIZEN_S = 4.0, 7e-5

#: What looks like a place or an address in a message; reasons are published.
_PLACES = re.compile(r"(?:/[\w.@-]+){2,}/?|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b")


class Section(msgspec.Struct, frozen=True):
    """A part of a session, and about how long it takes, in seconds."""

    name: str
    measure: Callable[[Options, Progress], Any]
    takes_s: Callable[[Options], float]


def _closed_s(options: Options, contenders: int) -> float:
    return contenders * (1.3 * options.warm + options.rounds * (options.seconds + 0.4))


SECTIONS = (
    Section("pairs", pairs.measure, lambda o: _TOWN_S + 10 + _closed_s(o, 8)),
    Section("peers", peers.measure, lambda o: _TOWN_S + 10 + _closed_s(o, 6)),
    Section(
        "latency",
        latency.measure,
        lambda o: (
            _TOWN_S
            + 4 * o.seconds
            + o.rounds * (o.offered_s + 3)
            + len(o.shares) * (o.offered_s / 2 + 1)
        ),
    ),
    Section("stages", stages.measure, lambda o: _TOWN_S + (o.rounds + 1) * (2 * o.seconds + 3)),
    Section("authzen", authzen.measure, lambda o: 2 * _TOWN_S + 5 + _closed_s(o, 4)),
    Section("memory", memory.measure, lambda o: _TOWN_S + 2 * _CITIZEN_S * o.weighed),
    Section("calls", calls.measure, lambda o: _TOWN_S + o.calls * 0.03),
    Section(
        "overload",
        overload.measure,
        lambda o: _TOWN_S + 10 + o.rounds * 4 * (o.overload_s + 1.5),
    ),
    Section(
        "flat",
        flat.measure,
        lambda o: (
            len(o.comparisons) * (2 * _TOWN_S + _closed_s(o, 2))
            + ("citizens" in o.comparisons) * _CITIZEN_S * o.many_citizens
        ),
    ),
)
NAMES = tuple(section.name for section in SECTIONS)


def run(
    options: Options, progress: Progress, *, only: Collection[str] = (), quick: bool = False
) -> Result:
    """Run the sections, all or those that are named.

    Raises:
        GatewayError, OSError: not even the first town came up.
    """
    begun, before = time.monotonic(), machine()
    wanted = [section for section in SECTIONS if section.name in (only or NAMES)]
    takes_s = {section.name: section.takes_s(options) for section in wanted}
    countdown = Countdown(takes_s, time.monotonic)

    def tell(words: str) -> None:
        progress(countdown.says(words))

    found, failures = Sections(), {}
    for section in wanted:
        countdown.begin(section.name)
        try:
            setattr(found, section.name, section.measure(options, tell))
        except Exception as fault:  # whatever it is: the other sections go on
            failures[section.name] = reason(fault)
            tell(f"failed, {failures[section.name]}")
        countdown.end()
    return Result(
        date=datetime.datetime.now(datetime.UTC).date(),
        quick=quick,
        took_s=round(time.monotonic() - begun, 1),
        conditions=_conditions(options, before, progress),
        sections=found,
        failures=failures,
        targets=computed(found),
    )


def place_of(result: Result, *, whole: bool) -> Path:
    """Where a result belongs: with the published ones only if it is a whole one."""
    name = f"{result.date.isoformat()}.json"
    return (FOLDER if whole and not result.quick else DRAFTS) / name


def reason(fault: Exception) -> str:
    """Why a section failed, in a line without paths and addresses."""
    said = " ".join(str(fault).split()) or "no reason given"
    name = "" if isinstance(fault, NotBuilt) else f"{type(fault).__name__}: "
    return (name + _PLACES.sub("…", said))[:300]


def _conditions(options: Options, before: Machine, progress: Progress) -> Conditions:
    progress("asking for the conditions")
    with throw_away_city(lambda _: None) as running:
        return asyncio.run(conditions(running, options, before))


def chosen(quick: bool, given: Mapping[str, Any]) -> Options:
    """The options of a session, those given instead of the usual ones."""
    return msgspec.structs.replace(QUICK if quick else Options(), **given)


def publish(result: Result, path: Path) -> None:
    """Write the result, and its page beside it where there is something to draw with."""
    write(result, path)
    if importlib.util.find_spec("matplotlib") is not None:
        page: Any = importlib.import_module("loadtest.page.document")
        path.with_suffix(".html").write_text(page.document(result), "utf-8")

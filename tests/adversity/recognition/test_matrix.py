"""Every kind of token at every place that takes one: the diagonal passes, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.adversity.recognition.kinds import KINDS, Bench
from tests.adversity.recognition.league import League
from tests.adversity.recognition.places import HOME, OWN, VISITED, Place, Seen
from tests.adversity.recognition.town import Town

#: Too long to be looked at (RFC 9110 15.5.14, 15.5.15): whatever it is, nothing knows.
UNREAD = (413, 414)
#: Newer ones were taken while it was shown elsewhere.
SUPERSEDED = ("trust list",)


@pytest.fixture
async def bench(league: League) -> Bench:
    made = Bench(league)
    await made.settle()
    return made


async def counted(town: Town, place: str) -> int:
    """How often something was refused at a place, by the city's own record."""
    return sum(times for (at, _), times in (await town.refusals()).items() if at == place)


@pytest.mark.parametrize("part", [HOME, VISITED, OWN], ids=["home", "visited", "own"])
async def test_only_the_diagonal_passes(bench: Bench, part: dict[str, Place]) -> None:
    """What is refused everywhere else is then shown where it is good, and is good there: nothing
    was refused for being old, used or somebody else's."""
    for kind in KINDS:
        await bench.mint(kind)
    cells = [(at, kind) for at in part for kind in KINDS]
    cells.sort(key=lambda cell: cell[1] in part[cell[0]].kinds)
    passed, faults = set(), []
    for at, kind in cells:
        place = part[at]
        before = await counted(bench.town, place.records)
        if kind in place.kinds:
            await (bench.mint if kind in SUPERSEDED else bench.freshen)(kind)
        with capture_logs() as lines:
            seen = await place.show(bench, bench.held[kind])
        if seen.passed:
            passed.add((at, kind))
            await bench.mint(kind)  # it may be good at another place as well
            continue
        faults += [f"{kind} at {at}: {fault}" for fault in unclean(seen, lines)]
        is_read = seen.status not in UNREAD
        if is_read and place.records and await counted(bench.town, place.records) == before:
            faults.append(f"{kind} at {at}: there is no record of it")
    assert passed == {(at, kind) for at, place in part.items() for kind in place.kinds}
    assert faults == []


def unclean(seen: Seen, lines: list[Any]) -> list[str]:
    """What is wrong with a refusal: it is a 4xx in JSON, and tells nothing that was sent."""
    faults = []
    if seen.status and not 400 <= seen.status < 500:
        faults.append(f"status {seen.status}")
    if seen.status and not isinstance(json.loads(seen.error), dict):
        faults.append("no problem")
    return faults + [f"logged {each['event']}" for each in lines if each["log_level"] == "error"
                     and each["event"] != "trust_list_refused"]  # fmt: skip

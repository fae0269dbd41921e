"""A place tells what was told from what was not, for whoever reads it."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Malformed
from gateway.ids import SystemIds, uuid7_floor, uuid7_millis
from gateway.watch_place import LATENESS_US, TAGS_MAX, TEXT_MAX, Place, floor_of

NOW_US = 1_800_000_000_000_000
SYSTEM = SystemIds()

#: Ids born within a minute, in no order.
ids = st.integers(0, 60_000_000).map(lambda us: SYSTEM.uuid7(NOW_US + us))


@given(st.sets(ids, min_size=1, max_size=40), st.sets(ids, max_size=40))
def test_what_was_told_is_known_and_what_may_still_appear_is_not(
    told: set[UUID], others: set[UUID]
) -> None:
    place = Place.read(Place.after(told, UUID(int=0)).text)
    assert place.last == max(told)
    assert all(place.covers(each) for each in told)
    for other in others - told:
        assert place.covers(other) == (other < place.floor), "too late to appear, and only then"


@given(ids, st.sets(ids, max_size=20))
def test_a_place_never_goes_back(last: UUID, told: set[UUID]) -> None:
    assert Place.after(told, last).last >= last


def test_a_lone_line_is_its_own_place() -> None:
    line = SYSTEM.uuid7(NOW_US)
    before = SYSTEM.uuid7(NOW_US - LATENESS_US - 1000)
    assert Place.after([line, before], UUID(int=0)).text == str(line)


def test_a_place_has_a_longest_text_and_forgets_the_oldest_first() -> None:
    told = sorted(SYSTEM.uuid7(NOW_US + us * 1000) for us in range(TAGS_MAX + 10))
    place = Place.after(told, UUID(int=0))
    assert len(place.text) <= TEXT_MAX
    assert Place.read(place.text) == place
    assert [place.covers(each) for each in (told[0], told[-1], told[-TAGS_MAX])] == [
        *(False, True),
        True,
    ]


@given(st.text(max_size=80) | st.from_regex(r"[0-9a-f-]{36}\.[A-Za-z0-9_-]*", fullmatch=True))
def test_any_other_text_is_refused_or_means_what_it_says(text: str) -> None:
    try:
        place = Place.read(text)
    except Malformed:
        return
    assert Place.read(place.text) == place


@pytest.mark.parametrize("moment_us", [-1, 0, 999, NOW_US, 1 << 80])
def test_the_floor_of_an_instant_lies_below_every_id_of_it(moment_us: int) -> None:
    floor = uuid7_floor(moment_us)
    assert uuid7_millis(floor) == min(max(moment_us // 1000, 0), (1 << 48) - 1)
    if 0 <= moment_us < 1 << 57:
        assert floor < SYSTEM.uuid7(moment_us)
        assert floor_of(SYSTEM.uuid7(moment_us)) <= floor

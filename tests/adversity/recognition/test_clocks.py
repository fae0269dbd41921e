"""Clocks that differ: by ten seconds nothing happens, by five minutes nothing is accepted.

The home city's clock is off, of its gateway, its identity provider and its lists; the visited
city's, the database's and the region's are right.
"""

from __future__ import annotations

import pytest

from gateway.recognition.status_fetch import FRESH_US
from tests.adversity.recognition.league import League, Visitor
from tests.adversity.recognition.lies import moved
from tests.adversity.recognition.test_lying import clean

#: FAPI 2.0's ten seconds, less a moment that the steps of a visit take.
FORGIVEN_S = 8
OFF = [-300, -61, -30, -12, -8, 0, 8, 13, 30, 61, 300]


async def tried(visitor: Visitor) -> bool:
    """The whole way as far as it goes; whether the visitor is in. Every no is a clean one."""
    begun = await visitor.begin()
    if begun.status_code != 201:
        assert clean(begun), begun.text
        return False
    request = await visitor.arrive_home(begun.json()["location"])
    back = await visitor.come_back(await visitor.decide(request))
    assert clean(back) or back.status_code == 303, back.text
    shown = await visitor.present()
    assert clean(shown) or shown.status_code == 200, shown.text
    return shown.status_code == 200


@pytest.mark.parametrize("off_s", OFF)
async def test_a_home_city_whose_clock_is_wrong_is_refused_until_it_is_right(
    league: League, off_s: int
) -> None:
    home, here = league.a, league.b
    await home.person(1)
    home.clock.off_s, home.front.lie = off_s, moved(home)
    visitor = league.visitor(1)
    assert await tried(visitor) == (abs(off_s) <= FORGIVEN_S)
    if abs(off_s) > FORGIVEN_S:
        assert await here.rows("SELECT 1 FROM visit UNION ALL SELECT 1 FROM visitor") == []
        assert await here.refusals(), "a refusal is on record"
    home.clock.off_s, home.front.lie = 0, None
    reader = here.town.city.status_reader
    reader._tried.clear()
    # It comes again by the right clock. A word from the future that was accepted is newer yet.
    assert await tried(league.visitor(1)) == (off_s <= 0 or abs(off_s) > FORGIVEN_S)
    await visitor.close()


@pytest.mark.parametrize("off_s", OFF)
async def test_no_visitor_is_relied_on_for_longer_than_was_promised(
    league: League, off_s: int
) -> None:
    """Whatever the home city's clock says: forty seconds from the bits, and from their fetch."""
    home, here = league.a, league.b
    await home.person(1)
    await league.visitor(1).visit()
    await here.owner.execute("UPDATE issuer SET fresh_until = 'epoch'")
    home.clock.off_s, home.front.lie = off_s, moved(home)
    reader = here.town.city.status_reader
    for known in (reader._due, reader._tried, reader._seen):
        known.clear()
    await reader.step()
    (row,) = await here.rows(
        "SELECT extract(epoch FROM fresh_until - clock_timestamp())::float AS left_s FROM issuer"
    )
    promised_s = FRESH_US / 1e6 + min(off_s, 0)
    assert row["left_s"] <= promised_s
    assert (row["left_s"] > promised_s - 3) == (-FRESH_US / 1e6 < off_s <= FORGIVEN_S)


@pytest.mark.parametrize("off_s", [-300, 300])
async def test_a_region_whose_clock_is_wrong_changes_nothing(league: League, off_s: int) -> None:
    here = league.b
    trust = here.town.city.trust
    before = trust.until_us
    league.server.answer = lambda: league.server.saying(
        league.region.token(here.now_s + off_s, serial=league.region.serial + 1)
    )
    await here.town.city.trust_fetcher.step()
    assert trust.until_us == before
    assert trust.agreed(league.a.code, here.clock.now_us()) is not None
    league.server.answer = league.server.honest
    await league.publish()
    assert trust.until_us >= before


@pytest.mark.parametrize("off_s", [-300, 300])
async def test_a_visited_city_whose_clock_is_wrong_accepts_nothing(
    league: League, off_s: int
) -> None:
    """Its list of cities is over by its own clock, or its own word is too old for the other."""
    await league.a.person(1)
    league.b.clock.off_s = off_s
    assert not await tried(league.visitor(1))
    assert await league.b.rows("SELECT 1 FROM visit") == []
    league.b.clock.off_s = 0
    assert await tried(league.visitor(1))

"""However many cities recognise a citizen, the open limits never exceed the one cap at home."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.recognition.limits import (
    Kept,
    Room,
    Vouched,
    cap_fen,
    reserved_by_city,
    unsupported,
    vouched,
)
from gateway.store import standing as standing_rows
from scenarios.contract import Outcome
from scenarios.scheme_text import parse_scheme
from scenarios.schemes import Scheme
from tests.gateway.city import HOUR_US, TestCity, registry
from tests.gateway.recognition.visitors import Visitors, raw
from tests.scenarios.worlds import us

HOME = "330100"
CITIES = ("330200", "320500", "310000", "340100")
CAPS = (0, 0, 0, 100_000, 200_000, 300_000)
QUICK = settings(max_examples=200, deadline=None)
SCHEME = parse_scheme(raw(1), "example-delta-1.toml")
#: Two scenarios that waive deposits, of which one needs the higher tier.
TWO = parse_scheme(
    raw(1).replace(b'[needs.rent]\ntier = "T1"', b'[needs.rent]\ntier = "T2"')
    + '[limits.library]\nfen = { T1 = 7_000, T2 = 9_000 }\nsource = "示例"\n'.encode(),
    "two.toml",
)

Step = tuple[str, list[str], int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(CITIES),
        st.lists(st.sampled_from(["library", "rent"]), min_size=1, max_size=2, unique=True),
        st.integers(0, 3),
    ),
    max_size=12,
)


def granted(scheme: Scheme, steps: list[Step], band: int, waived: int) -> list[Kept]:
    """The live recognitions after so many grants, each of which may end some that live."""
    live: list[Kept] = []
    for number, (city, wanted, ends) in enumerate(steps):
        del live[:ends]
        room = Room(cap_fen=CAPS[band], waived_fen=waived, reserved_fen=reserved_by_city(live))
        found = vouched(scheme, home=HOME, visited=city, band=band, wanted=wanted, room=room)
        if found is not None:
            live.append(
                Kept(
                    id=number,
                    city=city,
                    band_floor=found.band_floor,
                    reserved_fen=found.reserved_fen,
                    number=number,
                )
            )
    return live


@QUICK
@given(
    scheme=st.sampled_from([SCHEME, TWO]),
    steps=STEPS,
    band=st.integers(0, 5),
    waived=st.integers(0, 300_000),
)
def test_n_cities_never_mean_n_caps(
    scheme: Scheme, steps: list[Step], band: int, waived: int
) -> None:
    live = granted(scheme, steps, band, waived)
    opened = sum(reserved_by_city(live).values())
    assert opened == 0 or waived + opened <= CAPS[band]
    assert all(each.band_floor <= band for each in live)


@QUICK
@given(steps=STEPS, waived=st.integers(0, 300_000), band=st.integers(0, 5))
def test_what_a_fallen_band_no_longer_bears_ends_and_nothing_else(
    steps: list[Step], waived: int, band: int
) -> None:
    live = granted(SCHEME, steps, 5, waived)
    ended = unsupported(live, band=band, cap_fen=CAPS[band], waived_fen=waived)
    left = [each for each in live if each not in ended]
    opened = sum(reserved_by_city(left).values())
    assert opened == 0 or waived + opened <= CAPS[band]
    assert all(band >= each.band_floor for each in left)
    assert unsupported(left, band=band, cap_fen=CAPS[band], waived_fen=waived) == []
    for each in ended:
        # Nothing ended that the band bears and that no limit is kept for.
        assert band < each.band_floor or each.reserved_fen
    if band == 5:
        assert ended == []


def test_the_newest_gives_way_first() -> None:
    live = [
        Kept(id=n, city=city, band_floor=4, reserved_fen=50_000, number=n)
        for n, city in enumerate(CITIES)
    ]
    ended = unsupported(live, band=4, cap_fen=100_000, waived_fen=0)
    assert [each.id for each in ended] == [3, 2]


def fit(scheme: Scheme, wanted: list[str], free: int, band: int = 5) -> Vouched | None:
    room = Room(cap_fen=free, waived_fen=0, reserved_fen={})
    return vouched(scheme, home=HOME, visited="330200", band=band, wanted=wanted, room=room)


def test_a_grant_that_does_not_fit_leaves_the_rent_out() -> None:
    whole = fit(SCHEME, ["library", "rent"], 50_000)
    assert whole == Vouched(
        tier="T1", scenarios=("library", "rent"), reserved_fen=50_000, band_floor=4
    )
    assert fit(SCHEME, ["rent", "library"], 49_999) == Vouched(
        tier="T1", scenarios=("library",), reserved_fen=0, band_floor=4
    )
    assert fit(SCHEME, ["rent"], 49_999) is None
    assert fit(SCHEME, ["library", "rent"], 50_000, band=3) is None
    assert fit(SCHEME, ["cinema"], 50_000) is None


def test_the_tier_is_that_of_what_is_left() -> None:
    assert fit(TWO, ["library", "rent"], 109_000) == Vouched(
        tier="T2", scenarios=("library", "rent"), reserved_fen=109_000, band_floor=5
    )
    assert fit(TWO, ["library", "rent"], 108_999) == Vouched(
        tier="T1", scenarios=("library",), reserved_fen=7_000, band_floor=4
    )
    assert fit(TWO, ["library", "rent"], 6_999) is None


def test_a_second_grant_to_the_same_city_takes_the_place_of_the_first() -> None:
    room = Room(cap_fen=100_000, waived_fen=0, reserved_fen={"330200": 50_000, "320500": 50_000})
    assert (room.free_for("330200"), room.free_for("310000")) == (50_000, 0)
    # Who owes more than the cap has nothing to keep free, and no debt of it either.
    assert fit(SCHEME, ["library"], -1) is not None


@pytest.mark.parametrize(("band", "cap"), list(enumerate(CAPS)))
def test_the_cap_is_the_scenarios_own_figure(band: int, cap: int) -> None:
    rent = registry()["rent"]
    assert cap_fen(rent, band, us("2026-06-01T00:00:00+08:00")) == cap
    assert cap_fen(rent, band, us("2025-12-31T00:00:00+08:00")) == 0
    assert cap_fen(registry()["library"], band, us("2026-06-01T00:00:00+08:00")) == 0


async def recognised(town: TestCity, citizen: UUID, city: str, fen: int, *, index: int) -> UUID:
    """A live recognition, as a grant leaves it at home."""
    await town.owner.execute(
        "INSERT INTO legal_entity (id, name, contact) VALUES ('of-' || $1, $1, 'desk')"
        " ON CONFLICT DO NOTHING",
        city,
    )
    await town.owner.execute(
        "INSERT INTO party (id, entity, kind, name, city)"
        " VALUES ('city-' || $1, 'of-' || $1, 'city', $1, $1) ON CONFLICT DO NOTHING",
        city,
    )
    await town.owner.execute(
        "INSERT INTO party_scenario SELECT num, 'recognition', entity FROM party WHERE city = $1"
        " ON CONFLICT DO NOTHING",
        city,
    )
    held = "SELECT id FROM consent WHERE citizen = $1 AND recipient = 'of-' || $2"
    consent = await town.owner.fetchval(held, citizen, city) or await town.consent(
        citizen,
        recipient=f"of-{city}",
        scenario="recognition",
        to_us=town.city.clock.now_us() + 48 * HOUR_US,
    )
    grant = town.city.ids.random_uuid()
    async with town.city.writer.change(citizen):
        await town.owner.execute(
            "WITH list AS (INSERT INTO status_list (size) VALUES (1024) RETURNING id)"
            " INSERT INTO recognition (id, citizen, party, city, consent, scenarios, scheme,"
            " scheme_version, tier, band_floor, reserved_fen, status_list, status_idx, until_at)"
            " SELECT $1, $2, p.num, $3, $6, '{rent}', 'example-delta', 1, 'T1', 4, $4, list.id,"
            " $5, clock_timestamp() + interval '1 day' FROM party AS p, list WHERE p.city = $3",
            *(grant, citizen, city, fen, index, consent),
        )
    return grant


async def test_what_is_kept_for_other_cities_is_not_waived_at_home(visitors: Visitors) -> None:
    town = visitors.town
    citizen = await town.ready(band=4)

    async def waives(fen: int) -> bool:
        facts = registry()["rent"].manifest.example_at(town.city.clock.now_us())
        answer = await town.ask(citizen, facts=facts | {"deposit_fen": fen})
        return answer.outcome is Outcome.ELIGIBLE

    assert await waives(200_000)
    first = await recognised(town, citizen, "330200", 50_000, index=1)
    assert await waives(150_000)
    assert not await waives(150_001)
    # Of two by one city the larger counts, and cities add up.
    await recognised(town, citizen, "330200", 60_000, index=2)
    await recognised(town, citizen, "320500", 40_000, index=3)
    assert await waives(100_000)
    assert not await waives(100_001)
    async with town.city.writer.change(citizen):
        await town.owner.execute(
            "UPDATE recognition SET ended_at = clock_timestamp(), reason = 'withdrawn'"
            " WHERE id <> $1",
            first,
        )
    assert await waives(150_000)
    assert not await waives(150_001)


async def test_what_is_kept_and_what_is_waived_can_be_told_apart(visitors: Visitors) -> None:
    town = visitors.town
    citizen = await town.ready()
    await recognised(town, citizen, "330200", 50_000, index=1)
    async with town.city.database.connection() as connection:
        body = (await standing_rows.rebuild(connection, [citizen]))[citizen]
    assert (body.waived_fen, body.reserved_fen, body.visit) == (0, 50_000, None)

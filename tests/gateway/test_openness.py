"""What a citizen is told of a scenario is what a party's question would be answered."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.body import (
    NOBODY,
    Body,
    CommitmentSlip,
    ConsentSlip,
    PointsSlip,
    StaySlip,
    Viewpoint,
    encode_body,
    pack_commitments,
    pack_consents,
)
from gateway.clock import SECOND_US
from gateway.offers import LISTED_MAX
from gateway.openness import Prospect, Remedy, Surroundings
from scenarios.contract import Outcome
from tests.engines import Database
from tests.gateway.city import TestCity, registry
from tests.gateway.local.seeded import SEEDS, seeding

NOW = 1_800_000_000 * SECOND_US
LATER = NOW + 10**12


@pytest.fixture
async def peopled(town: TestCity, database: Database, tmp_path: Path) -> dict[str, UUID]:
    """Every persona of the demonstration city, by login."""
    async with seeding(town, database, tmp_path) as seeder:
        return await seeder.run(SEEDS.personas)


Difference = tuple[str, str, str, str]  # login, scenario, party, what was answered


async def disagreements(town: TestCity, citizens: dict[str, UUID]) -> list[Difference]:
    """Where what a citizen sees at a party and what the party is answered differ."""
    found, looked = [], 0
    for login, citizen in citizens.items():
        for scenario in registry():
            _, offers = await town.city.offers.of(citizen, scenario)
            assert not offers.more
            for offered in offers.offered:
                looked += 1
                party, look = offered.offer.party, offered.look
                answer = await town.ask(
                    citizen,
                    town.principal(party),
                    scenario=scenario,
                    facts=look.example.sent,
                    stock=look.example.shelf,
                )
                if answer.outcome is not look.openness.outcome:
                    found.append((login, scenario, party, answer.outcome.name))
    assert looked > 100
    return found


async def test_a_citizen_sees_what_a_question_would_be_answered(
    town: TestCity, peopled: dict[str, UUID]
) -> None:
    assert await disagreements(town, peopled) == []
    # The questions just asked have used up what some consents allow a day: seen as well.
    assert await disagreements(town, peopled) == []
    assert await town.owner.fetchval("SELECT count(*) FROM consent_use WHERE uses >= allowed") > 0


async def test_looking_leaves_no_record_and_tells_nobody(
    town: TestCity, peopled: dict[str, UUID]
) -> None:
    tables = ("decision", "search", "consent_use", "webhook_message", "staff_access", "standing")
    before = [await town.owner.fetchval(f"SELECT count(*) FROM {table}") for table in tables]
    for citizen in peopled.values():
        await town.city.offers.overview(citizen)
        for scenario in registry():
            await town.city.offers.of(citizen, scenario)
    after = [await town.owner.fetchval(f"SELECT count(*) FROM {table}") for table in tables]
    assert after == before


async def test_the_overview_is_at_the_party_where_most_is_open(
    town: TestCity, peopled: dict[str, UUID]
) -> None:
    for login, citizen in peopled.items():
        for prospects in await town.city.offers.overview(citizen):
            scenario = prospects.prospect.compiled.id
            _, offers = await town.city.offers.of(citizen, scenario)
            anywhere = any(offered.look.openness.open for offered in offers.offered)
            assert prospects.look.openness.open == anywhere, (login, scenario)


async def test_who_consented_to_nobody_misses_the_consent_alone(
    town: TestCity, peopled: dict[str, UUID]
) -> None:
    overview = await town.city.offers.overview(peopled["sun"])
    found = {each.prospect.compiled.id: each for each in overview}
    for scenario in ("rent", "library", "hospital"):
        missing = found[scenario].look.openness.missing
        assert [(each.clause.id, each.remedy) for each in missing] == [("consent", Remedy.CONSENT)]
        assert found[scenario].look.openness.up_to_the_citizen


async def test_what_is_missing_says_what_helps(town: TestCity) -> None:
    await town.party()
    nobody = await town.citizen(band=0)
    prospects, _ = await town.city.offers.of(nobody, "rent")
    missing = {each.clause.id: each for each in prospects.look.openness.missing}
    assert {name: each.remedy for name, each in missing.items()} == {
        "consent": Remedy.CONSENT,
        "band": Remedy.SCORE,
        "commitment": Remedy.PROMISE,
        "exposure": None,
    }
    assert all(each.clause.help_zh and each.clause.help_en for each in missing.values())


async def test_a_used_up_day_names_the_frequency(town: TestCity) -> None:
    await town.party()
    citizen = await town.citizen()
    await town.consent(citizen, frequency=1)
    await town.commitment(citizen)
    assert (await town.city.offers.of(citizen, "rent"))[0].look.openness.open
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE
    (missing,) = (await town.city.offers.of(citizen, "rent"))[0].look.openness.missing
    assert (missing.clause.id, missing.remedy) == ("used_up", Remedy.FREQUENCY)


async def test_a_standing_of_an_earlier_layout_is_read_all_the_same(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    await town.owner.execute("UPDATE standing SET body = 'old' WHERE citizen = $1", citizen)
    assert (await town.city.offers.of(citizen, "rent"))[0].look.openness.open


async def test_a_scenario_that_nobody_offers_is_looked_at_all_the_same(town: TestCity) -> None:
    citizen = await town.citizen()
    await town.commitment(citizen, scenario="hospital")
    prospects, offers = await town.city.offers.of(citizen, "hospital")
    assert (prospects.party, list(offers.offered)) == (None, [])
    assert [each.clause.id for each in prospects.look.openness.missing] == ["consent"]


async def test_parties_that_may_not_ask_offer_nothing(town: TestCity) -> None:
    await town.party()
    await town.party("closed-shop", entity="closed-shop")
    citizen = await town.citizen()
    await town.owner.execute("UPDATE party SET status = 'suspended' WHERE id = 'closed-shop'")
    await town.city.parties.refresh()
    _, offers = await town.city.offers.of(citizen, "rent")
    assert [each.offer.party for each in offers.offered] == ["bike-shop"]
    assert [each.row.id for each in town.city.parties.offering("rent")] == ["bike-shop"]


async def test_a_long_list_is_cut_and_a_search_finds_the_rest(town: TestCity) -> None:
    citizen = await town.citizen()
    for number in range(LISTED_MAX + 3):
        await town.party(f"shop-{number:02}", entity=f"shop-{number:02}")
    await town.consent(citizen, recipient=f"shop-{LISTED_MAX + 2}")
    _, offers = await town.city.offers.of(citizen, "rent")
    names = [each.offer.party for each in offers.offered]
    assert len(names) == LISTED_MAX
    assert offers.more
    assert names[0] == f"shop-{LISTED_MAX + 2}"  # where a consent stands comes first
    _, found = await town.city.offers.of(citizen, "rent", f"SHOP-{LISTED_MAX + 1}")
    assert [each.offer.party for each in found.offered] == [f"shop-{LISTED_MAX + 1}"]
    _, none = await town.city.offers.of(citizen, "rent", "%")
    assert list(none.offered) == []  # words, no pattern


# ------------------------------------------------------------------ the rule alone


@st.composite
def bodies(draw: st.DrawFn, scenario: str) -> Body:
    """A citizen's body as far as the packaged scenarios read it."""
    sectors = st.integers(1, 3)
    slip = st.builds(
        ConsentSlip,
        id=st.binary(min_size=16, max_size=16),
        version=st.just(1),
        sector=sectors,
        scenario=st.just(scenario),
        from_us=st.just(0),
        to_us=st.sampled_from([NOW, LATER]),
        paused_until_us=st.sampled_from([0, NOW, LATER]),
        frequency=st.sampled_from([0, 1]),
    )
    promise = st.builds(
        CommitmentSlip,
        scenario=st.just(scenario),
        sector=st.integers(0, 3),
        since_us=st.sampled_from([0, LATER]),
    )
    place = st.sampled_from(["330106-001", "330105-002"])
    return Body(
        key=draw(st.sampled_from([b"", b"key"])),
        band=draw(st.integers(0, 5)),
        waived_fen=draw(st.sampled_from([0, 90_000, 10**7])),
        medical_used_fen=draw(st.sampled_from([0, 10**7])),
        consents=pack_consents(draw(st.lists(slip, max_size=3))),
        commitments=pack_commitments(draw(st.lists(promise, max_size=2))),
        suspensions=draw(st.sampled_from([(), ((scenario, 0),)])),
        objections=draw(st.sampled_from([(), ("",)])),
        points=tuple(
            draw(st.lists(st.builds(PointsSlip, place, st.integers(-9, 99), st.just(LATER))))
        ),
        residency=tuple(draw(st.lists(st.builds(StaySlip, place, st.just(0), st.just(LATER))))),
    )


@pytest.mark.parametrize("scenario", sorted(registry()))
@given(data=st.data())
@settings(max_examples=60)
def test_nothing_is_missing_where_it_is_open_and_something_is_where_it_is_not(
    scenario: str, data: st.DataObject
) -> None:
    prospect = Prospect(registry()[scenario])
    body: Body = data.draw(bodies(scenario))
    community = data.draw(st.sampled_from(["330106-001", "330105-002", None]))
    view = Viewpoint(
        sector=data.draw(st.integers(0, 3)),
        scenario=scenario,
        reads=tuple(sorted(prospect.compiled.reads)),
        city="330200",
        community=community,
    )
    seen = prospect.look(body, view, prospect.example(view, NOW), NOW, Surroundings())
    match seen.outcome:
        case Outcome.ELIGIBLE:
            assert seen.open
            assert seen.missing == ()
        case Outcome.STANDARD_PATH:
            assert not seen.open
            assert seen.missing
        case Outcome.CANNOT_ASSESS:
            assert not seen.open
            assert seen.missing == ()
    assert all(each.clause.fails is Outcome.STANDARD_PATH for each in seen.missing)


def test_a_community_that_no_fact_can_hold_is_left_out_of_the_example() -> None:
    prospect = Prospect(registry()["points"])
    reads = tuple(sorted(prospect.compiled.reads))
    view = Viewpoint(sector=1, scenario="points", reads=reads, community="不 是 代码")
    example = prospect.example(view, NOW)
    assert example.sent["community"] == "330106-001"
    seen = prospect.look(NOBODY, view, example, NOW, Surroundings())
    assert seen.outcome is Outcome.CANNOT_ASSESS


async def test_the_body_is_the_stored_one_and_not_the_caches(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE  # the cache has it now
    # A change past the writer, which the cache does not hear of.
    await town.owner.execute(
        "UPDATE standing SET body = $2 WHERE citizen = $1", citizen, encode_body(NOBODY)
    )
    (known, *_) = (await town.city.offers.of(citizen, "rent"))[0].look.openness.missing
    assert known.clause.id == "known"

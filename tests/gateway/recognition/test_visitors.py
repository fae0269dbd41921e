"""A visitor stands on the newest living word of the home city, and on nothing else."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from gateway.body import Body, VisitSlip, decode_body, encode_body
from scenarios.contract import Outcome
from tests.gateway.callers import Callers, body
from tests.gateway.recognition.visitors import STALE_S, Visitors
from tests.gateway.searching import search

ELIGIBLE, ORDINARY = Outcome.ELIGIBLE, Outcome.STANDARD_PATH


async def asked(visitors: Visitors, citizen: UUID, scenario: str = "rent", fen: int = 0) -> Outcome:
    town = visitors.town
    facts = town.city.registry[scenario].manifest.example_at(town.city.clock.now_us())
    facts |= {"deposit_fen": fen} if fen else {}
    return (await town.ask(citizen, scenario=scenario, facts=facts)).outcome


async def unmet(visitors: Visitors, citizen: UUID) -> list[str]:
    """What the visitor reads of the newest answer."""
    decision = await visitors.town.owner.fetchval("SELECT max(id::text)::uuid FROM decision")
    explained = await visitors.town.city.lookups.reasons(decision, citizen)
    return [reason.clause.id for reason in explained.reasons if not reason.met]


async def stored(visitors: Visitors, citizen: UUID) -> tuple[Body, int | None]:
    row = await visitors.town.owner.fetchrow(
        "SELECT body, issuer FROM standing WHERE citizen = $1", citizen
    )
    assert row is not None
    return decode_body(row["body"]), row["issuer"]


async def test_a_recognised_visitor_is_answered_as_anybody(visitors: Visitors) -> None:
    citizen = await visitors.ready(await visitors.issuer())
    await visitors.allow(citizen, "library")
    assert await asked(visitors, citizen) is ELIGIBLE
    assert await asked(visitors, citizen, "library") is ELIGIBLE


async def test_a_scenario_that_home_did_not_name_is_not_open(visitors: Visitors) -> None:
    citizen = await visitors.arrived(await visitors.issuer())
    await visitors.visit(citizen, scenarios=["library"])
    for scenario in ("library", "rent"):
        await visitors.allow(citizen, scenario)
    assert await asked(visitors, citizen, "library") is ELIGIBLE
    assert await asked(visitors, citizen) is ORDINARY
    assert "recognised" in await unmet(visitors, citizen)
    assert (await search(visitors.town, citizen)).scenarios == ("library",)


async def test_whose_visit_is_over_is_not_a_citizen_of_the_city(visitors: Visitors) -> None:
    """A promise opens the library to every citizen of the city, whatever the band."""
    issuer = await visitors.issuer()
    citizen = await visitors.arrived(issuer)
    await visitors.allow(citizen, "library")
    own = await visitors.town.citizen(band=0)
    await visitors.allow(own, "library")
    assert await asked(visitors, own, "library") is ELIGIBLE
    assert await asked(visitors, citizen, "library") is ORDINARY
    visit = await visitors.visit(citizen)
    assert await asked(visitors, citizen, "library") is ELIGIBLE
    await visitors.end(citizen, visit)
    assert await asked(visitors, citizen, "library") is ORDINARY
    assert await unmet(visitors, citizen) == ["recognised"]
    assert (await search(visitors.town, citizen)).scenarios == ()
    assert await stored(visitors, citizen) == (
        msgspec.structs.replace((await stored(visitors, citizen))[0], visit=VisitSlip(issuer)),
        issuer,
    )


async def test_the_newest_living_word_counts_and_the_one_before_it_once_it_ends(
    visitors: Visitors,
) -> None:
    citizen = await visitors.arrived(await visitors.issuer())
    await visitors.allow(citizen, "rent")
    await visitors.visit(citizen, scenarios=["rent"], limit_fen=50_000)
    newer = await visitors.visit(citizen, scenarios=["library"], limit_fen=0)
    assert await asked(visitors, citizen) is ORDINARY
    await visitors.end(citizen, newer)
    assert await asked(visitors, citizen) is ELIGIBLE


async def test_a_band_is_the_visits_and_no_score_of_the_same_person_here(
    visitors: Visitors,
) -> None:
    citizen = await visitors.arrived(await visitors.issuer())
    await visitors.visit(citizen, band=2)
    assert (await stored(visitors, citizen))[0].band == 2
    await visitors.visit(citizen, band=3)
    assert (await stored(visitors, citizen))[0].band == 3


async def test_deposits_are_waived_up_to_what_home_keeps_free_and_not_beyond(
    visitors: Visitors,
) -> None:
    town, citizen = visitors.town, await visitors.ready(await visitors.issuer())
    assert await asked(visitors, citizen, fen=50_000) is ELIGIBLE
    assert await asked(visitors, citizen, fen=50_001) is ORDINARY
    assert await unmet(visitors, citizen) == ["visit_limit"]
    async with town.city.writer.change(citizen):
        await town.owner.execute(
            "INSERT INTO waiver (id, citizen, entity, deposit_fen, opened_at)"
            " VALUES ('w-1', $1, 'rent-a-bike', 30000, clock_timestamp())",
            citizen,
        )
    assert await asked(visitors, citizen, fen=20_000) is ELIGIBLE
    assert await asked(visitors, citizen, fen=20_001) is ORDINARY


async def test_without_a_limit_nothing_is_waived(visitors: Visitors) -> None:
    citizen = await visitors.arrived(await visitors.issuer())
    await visitors.visit(citizen, limit_fen=0)
    await visitors.allow(citizen, "rent")
    assert await asked(visitors, citizen, fen=1) is ORDINARY


async def test_the_visitors_own_pages_say_what_a_question_would(visitors: Visitors) -> None:
    town, issuer = visitors.town, await visitors.issuer()
    citizen = await visitors.ready(issuer)
    me = await Callers(town).citizen(citizen)

    async def rent() -> tuple[bool, list[str]]:
        shown = body(await me.get("/v1/me/scenarios"))["scenarios"]
        (opening,) = [each["opening"] for each in shown if each["id"] == "rent"]
        return opening["open"], [each["id"] for each in opening["missing"]]

    assert await rent() == (True, [])
    await visitors.heard(issuer, fresh_s=STALE_S)
    assert await rent() == (False, ["recognised"])


async def test_an_erased_visitor_leaves_nothing_that_names_the_home_city(
    visitors: Visitors,
) -> None:
    citizen = await visitors.ready(await visitors.issuer())
    async with visitors.town.city.writer.change(citizen):
        await visitors.town.owner.execute(
            "UPDATE citizen SET erased_at = clock_timestamp(), wrapped_key = NULL WHERE id = $1",
            citizen,
        )
    assert await stored(visitors, citizen) == (Body(), None)


async def test_a_citizen_of_the_city_stands_on_nobodys_word(visitors: Visitors) -> None:
    seen, issuer = await stored(visitors, await visitors.town.ready())
    assert (seen.visit, seen.issuer, issuer) == (None, None, None)


@pytest.mark.parametrize("issuer", [-1, 2**15])
def test_an_issuer_that_no_row_could_hold_is_no_body(issuer: int) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_body(encode_body(Body(key=b"k", visit=VisitSlip(issuer))))

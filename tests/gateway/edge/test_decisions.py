"""Answers read back: strangers first, then the two views, then who asked about me."""

from __future__ import annotations

import json
from uuid import UUID

import msgspec
import pytest

from gateway.clock import rfc3339
from gateway.keys import b64url
from gateway.store import export as export_rows
from gateway.store import policy as policy_rows
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity

NOWHERE = f"/v1/decisions/{UUID(int=1)}"


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party()
    return Callers(town)


# ------------------------------------------------------------------ strangers


async def test_a_stranger_reads_no_answer(callers: Callers) -> None:
    assert (await callers.stranger().get(NOWHERE)).status_code == 401


async def test_a_bad_token_does_not_fall_back_to_the_cookie(callers: Callers) -> None:
    citizen = await callers.town.ready()
    answer = await callers.town.ask(citizen)
    me = await callers.citizen(citizen)
    path = f"/v1/decisions/{answer.decision}"
    assert (await me.get(path)).status_code == 200
    for bad in ("Bearer x.y.z", "", "Basic eDp5"):
        assert (await me.get(path, headers={"authorization": bad})).status_code == 401


async def test_nobody_reads_anothers_answer(callers: Callers) -> None:
    town = callers.town
    await town.party("rival", entity="rival-house")
    answer = await town.ask(await town.ready())
    path = f"/v1/decisions/{answer.decision}"
    other = await callers.citizen(await town.ready())
    for reader in (callers.party("rival"), other):
        found = await reader.get(path)
        missing = await reader.get(NOWHERE)
        assert (found.status_code, found.content) == (404, missing.content)


# ------------------------------------------------------------------ the party's view


async def test_a_party_reads_its_answer_in_the_form_it_got_it(callers: Callers) -> None:
    town = callers.town
    citizen = await town.ready()
    sector = town.principal().party.row.own_sector
    asked = {
        "subject": town.city.pseudonyms.subject(citizen, sector),
        "facts": town.city.registry["rent"].manifest.example_at(town.city.clock.now_us()),
    }
    party = callers.party()
    answer = body(await party.post("/v1/scenarios/rent/eligibility", json=asked))
    assert answer["outcome"] == "eligible"
    assert body(await party.get(f"/v1/decisions/{answer['decision_id']}")) == answer


async def test_a_party_reads_no_reason_whatever_the_answer(callers: Callers) -> None:
    town = callers.town
    shapes = set()
    for citizen in (await town.ready(), await town.citizen(), await town.citizen(band=0)):
        answer = await town.ask(citizen, staff="desk-1", reference="case-1")
        seen = body(await callers.party().get(f"/v1/decisions/{answer.decision}"))
        shapes.add((tuple(sorted(seen)), json.dumps(seen["obligations"])))
        assert str(citizen) not in json.dumps(seen)
    assert len(shapes) == 1


# ------------------------------------------------------------------ the citizen's view


async def test_a_citizen_reads_every_reason_with_what_would_help(callers: Callers) -> None:
    town = callers.town
    citizen = await town.citizen(band=4)
    consent = await town.consent(citizen)
    answer = await town.ask(citizen, staff="desk-3", reference="case/7")
    seen = body(await (await callers.citizen(citizen)).get(f"/v1/decisions/{answer.decision}"))
    assert seen["outcome"] == "standard_path"
    unmet = {clause["id"]: clause for clause in seen["clauses"] if not clause["met"]}
    assert set(unmet) == {"commitment"}
    compiled = town.city.registry["rent"]
    words = next(each for each in compiled.clauses if each.id == "commitment")
    assert unmet["commitment"] == {
        "id": "commitment",
        "met": False,
        "zh": words.zh,
        "en": words.en,
        "help_zh": words.help_zh,
        "help_en": words.help_en,
    }
    assert [clause["id"] for clause in seen["clauses"]] == [c.id for c in compiled.clauses]
    assert all(clause["help_zh"] is None for clause in seen["clauses"] if clause["met"])
    assert (seen["staff"], seen["reference"]) == ("desk-3", "case/7")
    assert (seen["party"], seen["recipient"]) == ("bike-shop", "rent-a-bike")
    assert seen["consent"] == {"id": str(consent), "version": 1}
    assert seen["facts"]["deposit_fen"] == compiled.manifest.example["deposit_fen"]
    assert seen["receipt"] == b64url(answer.receipt)
    assert seen["valid_until"] == rfc3339(answer.valid_until_us)
    assert seen["delivered"] is True


async def test_facts_that_were_erased_stay_erased(callers: Callers) -> None:
    town = callers.town
    citizen = await town.ready()
    answer = await town.ask(citizen)
    me = await callers.citizen(citizen)
    fresh = town.city.vault.new_key(citizen)
    for key in (None, fresh):
        await town.owner.execute("UPDATE citizen SET wrapped_key = $1", key)
        seen = body(await me.get(f"/v1/decisions/{answer.decision}"))
        assert seen["facts"] is None
        assert seen["outcome"] == "eligible"


async def test_an_answer_that_may_not_have_arrived_says_so(callers: Callers) -> None:
    town = callers.town
    citizen = await town.ready()
    answer = await town.ask(citizen)
    await town.owner.execute("INSERT INTO decision_undelivered VALUES ($1)", answer.decision)
    me = await callers.citizen(citizen)
    assert body(await me.get(f"/v1/decisions/{answer.decision}"))["delivered"] is False
    (line,) = body(await me.get("/v1/me/lookups"))["lookups"]
    assert line["delivered"] is False


async def test_reasons_are_told_in_the_words_of_the_rule_that_answered(callers: Callers) -> None:
    """The rule was replaced since: the kept manifest speaks."""
    town = callers.town
    citizen = await town.ready()
    answer = await town.ask(citizen)
    former = msgspec.json.decode(town.city.registry["rent"].manifest.canonical())
    former["clauses"][0] |= {"id": "former_clause", "zh": "旧", "en": "former"}
    former["obligations"] = former["obligations"][:1]
    manifest = msgspec.json.encode(former).decode()
    number = await policy_rows.publish(town.owner, "rent", b"f" * 32, manifest)
    await town.owner.execute("UPDATE decision SET policy = $1", number)
    seen = body(await (await callers.citizen(citizen)).get(f"/v1/decisions/{answer.decision}"))
    compiled = town.city.registry["rent"]
    assert len(seen["clauses"]) == len(compiled.clauses)
    changed = seen["clauses"][len(compiled.clauses) - len(compiled.manifest.clauses)]
    assert (changed["id"], changed["en"]) == ("former_clause", "former")
    assert seen["policy"]["revision"] == b64url(b"f" * 32)
    theirs = body(await callers.party().get(f"/v1/decisions/{answer.decision}"))
    assert len(theirs["obligations"]) == 1


async def test_an_answer_from_before_visitors_is_read_by_the_clauses_of_its_time(
    callers: Callers,
) -> None:
    """Its bits were seven universal clauses and then the rule's own."""
    town = callers.town
    citizen = await town.ready()
    answer = await town.ask(citizen)
    manifest = town.city.registry["rent"].manifest
    number = await policy_rows.publish(town.owner, "rent", b"o" * 32, manifest.canonical().decode())
    await town.owner.execute("UPDATE policy SET compiler = 1 WHERE num = $1", number)
    broken = 1 << 7 + 2  # the third of its own clauses
    every = (1 << 7 + len(manifest.clauses)) - 1
    await town.owner.execute(
        "UPDATE decision SET policy = $1, clauses = $2", number, every & ~broken
    )
    me = await callers.citizen(citizen)
    seen = body(await me.get(f"/v1/decisions/{answer.decision}"))["clauses"]
    own = [clause.id for clause in manifest.clauses]
    assert [each["id"] for each in seen][5:] == ["objected", "inputs", *own]
    assert [each["id"] for each in seen if not each["met"]] == [own[2]]
    # The same in the copy of everything.
    async with town.city.database.connection() as connection:
        (row,) = await export_rows.rules(connection, [number])
    rule = town.city.lookups.rule(row.scenario, row.revision, row.manifest, row.compiler)
    assert [each.id for each in rule.clauses][5:] == ["objected", "inputs", *own]


async def test_the_recipient_is_the_one_consented_to_though_the_party_moved_on(
    callers: Callers,
) -> None:
    town = callers.town
    citizen = await town.ready()
    answer = await town.ask(citizen)
    await town.owner.execute("DELETE FROM party_scenario")
    seen = body(await (await callers.citizen(citizen)).get(f"/v1/decisions/{answer.decision}"))
    assert seen["recipient"] == "rent-a-bike"

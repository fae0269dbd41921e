"""Closing an account: strangers first; then what ends, what is erased, what stays, of nobody."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from msgspec import structs
from redis.asyncio import Redis
from redis.maint_notifications import MaintNotificationsConfig

from gateway import city_facts
from gateway.body import Body, decode_body
from gateway.clock import DAY_US
from gateway.correction_desk import CorrectionDesk
from gateway.errors import NotFound
from gateway.local.people import person
from gateway.local.valkey import Valkey
from gateway.office import Office
from gateway.store.city_fact import CityFact, Loan, MedicalAdvance, Waiver
from gateway.store.migrate import Connection
from gateway.store.staff import Staff
from scenarios.contract import Outcome
from tests.gateway.callers import Callers, body
from tests.gateway.city import ENTITY, TestCity
from tests.gateway.my_data.life import (
    CLOSURE,
    DEVICE,
    WORDS,
    asked_in_person,
    close,
    closed,
    enrolled,
    index_of,
    life,
    told,
)
from tests.gateway.my_data.test_export import exported

#: Tables with rows of a closed account: they stay, of nobody.
KEPT = {
    *("citizen", "standing", "standing_change", "score_authorisation", "device", "commitment"),
    *("consent", "consent_request", "decision", "search", "staff_access", "correction_request"),
    *("assisted_act", "recognition"),
}
#: Tables in which nothing of it is left.
ERASED = {
    *(
        "login",
        "session",
        "credit_code",
        "commitment_nonce",
        "score",
        "probe_mark",
        "citizen_limit",
        "recognition_request",
        "waiver",
    ),
    *("medical_advance", "loan", "library_card", "points_entry", "residency", "suspension"),
    "objection",
}
#: Of visitors alone; what becomes of them is tried in tests/gateway/visits/test_my_visit.py.
OF_VISITORS = {"visitor", "visit", "visit_token"}
_OF_CITIZENS = """
SELECT table_name AS name FROM information_schema.columns
  JOIN pg_class AS c ON c.oid = format('public.%I', table_name)::regclass
 WHERE table_schema = 'public' AND column_name = 'citizen' AND NOT c.relispartition
"""


async def everything(owner: Connection) -> dict[str, str]:
    """Each table's rows as text."""
    tables = await owner.fetch(
        "SELECT c.relname AS name FROM pg_class AS c WHERE c.relkind IN ('r', 'p')"
        " AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition"
    )
    return {
        row["name"]: str(await owner.fetchval(f"SELECT json_agg(t) FROM {row['name']} AS t"))
        for row in tables
    }


# ------------------------------------------------------------------ strangers


async def test_a_stranger_closes_nothing(callers: Callers, office: Office) -> None:
    me = await callers.citizen(await enrolled(callers.town, office))
    text = body(await me.get(CLOSURE))["text_sha256"]
    for client in (callers.stranger(), callers.party()):
        assert (await client.get(CLOSURE)).status_code == 401
        assert (await client.post(CLOSURE, json={"text_sha256": text})).status_code == 401
    forged = await me.post(CLOSURE, json={"text_sha256": text}, headers={"x-csrf-token": "x"})
    assert forged.status_code == 403
    assert (await me.get("/v1/me")).status_code == 200


async def test_the_text_says_what_ends_what_is_erased_and_what_the_law_keeps(
    callers: Callers, office: Office
) -> None:
    me = await callers.citizen(await enrolled(callers.town, office))
    shown = body(await me.get(CLOSURE))
    parts = [item["id"].split("-")[0] for item in shown["items"]]
    assert sorted(set(parts), key=parts.index) == ["ends", "erased", "kept", "after"]
    assert "十年" in shown["zh"]
    assert callers.town.city.settings.city_contact in shown["en"]
    assert shown["open_matters"] == []


@pytest.mark.parametrize("sent", [{}, {"text_sha256": "0" * 63}, {"text_sha256": None}])
async def test_an_act_without_the_text_is_none(
    callers: Callers, office: Office, sent: dict[str, Any]
) -> None:
    me = await callers.citizen(await enrolled(callers.town, office))
    assert (await me.post(CLOSURE, json=sent)).status_code == 400
    other = await me.post(CLOSURE, json={"text_sha256": "0" * 64})
    assert (other.status_code, other.json()["type"]) == (
        409,
        "urn:qianjiang:problem:text-changed",
    )
    assert (await me.get("/v1/me")).status_code == 200


# ------------------------------------------------------------------ what stands in the way


def open_matters(town: TestCity, citizen: UUID) -> dict[str, tuple[CityFact, dict[str, Any]]]:
    """One matter of each kind, and how its citizen reads it."""
    before = town.city.clock.now_us() - DAY_US
    nothing = {"with_whom": None, "amount_fen": None, "items": None}
    return {
        "deposit": (
            Waiver(citizen, f"o-{citizen}", ENTITY, 30_000, before),
            nothing | {"with_whom": ENTITY, "amount_fen": 30_000},
        ),
        "medical_advance": (
            MedicalAdvance(citizen, f"o-{citizen}", 12_000, before),
            nothing | {"amount_fen": 12_000},
        ),
        "loan": (
            Loan(citizen, f"o-{citizen}", ENTITY, 3, before),
            nothing | {"with_whom": ENTITY, "items": 3},
        ),
    }


@pytest.mark.parametrize("kind", ["deposit", "medical_advance", "loan"])
async def test_what_is_open_is_named_to_the_citizen_and_never_in_the_error(
    callers: Callers, office: Office, kind: str
) -> None:
    town = callers.town
    citizen = await life(town, office)
    fact, read = open_matters(town, citizen)[kind]
    await city_facts.load(office.writer, [fact])
    me = await callers.citizen(citizen)
    (matter,) = body(await me.get(CLOSURE))["open_matters"]
    assert matter | read == matter
    assert (matter["kind"], (matter["due"] is None)) == (kind, kind != "loan")
    before = await everything(town.owner)
    refused = await close(me)
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "urn:qianjiang:problem:open-matters",
    )
    assert set(refused.json()) == {"type", "status", "title"}
    assert await everything(town.owner) == before
    end = {"deposit": "settled_us", "medical_advance": "settled_us", "loan": "returned_us"}[kind]
    await city_facts.load(office.writer, [structs.replace(fact, **{end: town.city.clock.now_us()})])
    assert (await close(me)).status_code == 204


async def test_the_function_that_erases_refuses_what_its_caller_should_have_done(
    callers: Callers, office: Office, connection: Connection
) -> None:
    """The serving role cannot let anybody go whose matters are open, nor skip a withdrawal."""
    town = callers.town
    citizen = await life(town, office)
    erase = "SELECT citizen_close($1)"
    with pytest.raises(asyncpg.PostgresError, match="still stands"):
        await connection.execute(erase, citizen)
    for fact, _ in open_matters(town, citizen).values():
        await city_facts.load(office.writer, [fact])
        with pytest.raises(asyncpg.PostgresError, match="matters are open"):
            await connection.execute(erase, citizen)
    for statement in ("UPDATE citizen SET identity = NULL", "DELETE FROM login"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    assert (await town.city.citizens.person(citizen)).name == person(1).name


# ------------------------------------------------------------------ what it does


async def test_everything_ends_at_once(callers: Callers, office: Office) -> None:
    town = callers.town
    await town.owner.execute("UPDATE party SET webhook_url = 'https://shop.example/hook'")
    citizen = await life(town, office)
    me, elsewhere = [await callers.citizen(citizen) for _ in range(2)]
    waiting = await asked_in_person(town, citizen, "later")
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE
    await town.owner.execute("DELETE FROM webhook_message")
    answer = await close(me)
    assert (answer.status_code, answer.content) == (204, b"")
    assert f"{town.city.sessions.cookie}=" in answer.headers["set-cookie"]
    for client in (me, elsewhere):
        for path in ("/v1/me", "/v1/me/export", "/v1/me/lookups", CLOSURE):
            assert (await client.get(path)).status_code == 401
    assert (await town.ask(citizen)).outcome is Outcome.STANDARD_PATH
    messages = await town.owner.fetch("SELECT type, payload FROM webhook_message")
    assert [row["type"] for row in messages] == ["consent.withdrawn"]
    assert '"delete"' in messages[0]["payload"]
    ends = {
        "consent": ["active", "withdrawn"],
        "commitment": ["signed", "withdrawn"],
        "score_authorisation": ["given", "withdrawn"],
    }
    for table, statuses in ends.items():
        rows = await town.owner.fetch(f"SELECT status FROM {table} ORDER BY version")
        assert [row["status"] for row in rows] == statuses, table
    assert await town.owner.fetchval("SELECT bool_and(revoked_at IS NOT NULL) FROM device")
    # The party that asked in person hears that time ran out, as it would of anybody.
    assert await town.city.consents.expire_requests(10) == 1
    state = await town.owner.fetchval("SELECT status FROM consent_request WHERE id = $1", waiting)
    assert state == "expired"


async def test_no_table_about_citizens_is_forgotten(owner: Connection) -> None:
    tables = {row["name"] for row in await owner.fetch(_OF_CITIZENS)} | {"citizen"}
    accounted = KEPT | ERASED | OF_VISITORS
    assert tables == accounted, "a new table: say what closing an account does with it"
    assert not KEPT & ERASED


async def test_what_is_erased_is_gone_and_what_is_kept_is_as_it_was(
    callers: Callers, office: Office
) -> None:
    town = callers.town
    citizen, other = await life(town, office, 1), await life(town, office, 2)
    mine = "SELECT count(*) FROM {} WHERE {} = $1"
    column = {"citizen": "id"}
    before = {
        table: await town.owner.fetchval(mine.format(table, column.get(table, "citizen")), citizen)
        for table in KEPT | ERASED
    }
    del before["standing_change"]  # the relay's own, done with when the cache knows
    assert all(before.values()), before
    answers = await town.owner.fetch("SELECT * FROM decision ORDER BY id")
    hers = {
        table: await town.owner.fetch(
            f"SELECT * FROM {table} WHERE {column.get(table, 'citizen')} = $1", other
        )
        for table in (KEPT | ERASED) - {"standing_change"}
    }
    await closed(town, citizen)
    for table in before:
        statement = mine.format(table, column.get(table, "citizen"))
        left = await town.owner.fetchval(statement, citizen)
        # Consents, promises and the authorisation end by a version more.
        ending = table in {"consent", "commitment", "score_authorisation"}
        assert left == (0 if table in ERASED else before[table] + ending), table
    assert await town.owner.fetch("SELECT * FROM decision ORDER BY id") == answers
    for table, rows in hers.items():
        assert rows == await town.owner.fetch(
            f"SELECT * FROM {table} WHERE {column.get(table, 'citizen')} = $1", other
        ), table
    # A department's record is that department's, with or without an account.
    facts = "SELECT count(*) FROM fact WHERE identity_index = $1"
    assert await town.owner.fetchval(facts, index_of(town)) == 1


async def test_nothing_personal_is_left_anywhere_and_nothing_sealed_can_be_opened(
    callers: Callers, office: Office, valkey: Valkey
) -> None:
    town = callers.town
    citizen = await life(town, office)
    key_before = await town.owner.fetchval("SELECT wrapped_key FROM citizen")
    subject = told().subject
    # It was there: in the standing, in the cache, under the device's name.
    cache = Redis.from_url(
        valkey.admin_url,
        protocol=3,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    try:
        assert key_before in (await cache.get(town.city.cache.key(citizen)) or b"")
        text = str(await everything(town.owner))
        assert key_before.hex() in text
        assert DEVICE in text
        await closed(town, citizen)
        text = str(await everything(town.owner))
        for secret in (key_before.hex(), DEVICE, WORDS, person(1).name, person(1).id_number):
            assert secret not in text
        assert subject not in text
        assert key_before not in (await cache.get(town.city.cache.key(citizen)) or b"")
    finally:
        await cache.aclose()
    row = await town.owner.fetchrow("SELECT * FROM citizen WHERE id = $1", citizen)
    assert row is not None
    assert [row[name] for name in ("identity", "identity_index", "wrapped_key")] == [None] * 3
    assert row["erased_at"] is not None
    standing = await town.owner.fetchval("SELECT body FROM standing WHERE citizen = $1", citizen)
    assert decode_body(standing) == Body()
    with pytest.raises(NotFound):
        await town.city.citizens.person(citizen)


async def test_the_office_has_nothing_left_to_decide(callers: Callers, office: Office) -> None:
    town, desk = callers.town, CorrectionDesk(office.database, office.vault)
    citizen = await life(town, office)
    (waiting,) = await desk.waiting()
    await closed(town, citizen)
    assert await desk.waiting() == []
    for act in (
        desk.show(waiting.id, Staff("示例-王", "x")),
        desk.decide(waiting.id, "refused", "x", Staff("示例-王", "x")),
    ):
        with pytest.raises(NotFound):
            await act
    row = await town.owner.fetchrow("SELECT status, sealed, answer FROM correction_request")
    assert row is not None
    assert tuple(row) == ("dropped", None, None)


# ------------------------------------------------------------------ and afterwards


async def test_the_same_person_begins_anew_as_somebody_else(
    callers: Callers, office: Office
) -> None:
    town = callers.town
    before = await life(town, office)
    await closed(town, before)
    after = await town.city.citizens.enrol(told())
    assert after != before
    me = await callers.citizen(after)
    document = await exported(me)
    assert document.identity.id_number == person(1).id_number
    assert (document.score, document.authorisations) == (None, ())
    # What the departments have delivered is theirs, and counts once it is authorised again.
    assert len(document.facts) == 1
    for empty in ("consents", "commitments", "devices", "questions", "searches", "staff_acts"):
        assert getattr(document, empty) == (), empty
    for empty in ("waivers", "points", "residency", "library_cards", "corrections", "marks"):
        assert getattr(document, empty) == (), empty
    assert str(before) not in (await me.get("/v1/me/export")).text
    sector = town.principal().party.row.own_sector
    subjects = {town.city.pseudonyms.subject(each, sector) for each in (before, after)}
    assert len(subjects) == 2
    given = town.city.authorisations
    await given.give(after, given.notice.sha256, (), None)
    assert (await exported(me)).score is not None


async def test_the_closed_read_like_the_unknown(callers: Callers, office: Office) -> None:
    town = callers.town
    citizen = await life(town, office)
    await closed(town, citizen)
    sector = town.principal().party.row.own_sector
    facts = town.city.registry["rent"].manifest.example_at(town.city.clock.now_us())
    shapes = []
    for somebody in (citizen, UUID(int=77)):
        asked = {"subject": town.city.pseudonyms.subject(somebody, sector), "facts": facts}
        answer = await callers.party().post("/v1/scenarios/rent/eligibility", json=asked)
        told_of = body(answer)
        shapes.append(
            (
                told_of["outcome"],
                sorted(answer.headers),
                {name: len(str(value)) for name, value in told_of.items()},
                told_of["freshness"]["score_as_of"],
            )
        )
        decision = await callers.party().get(f"/v1/decisions/{told_of['decision_id']}")
        assert body(decision)["outcome"] == "standard_path"
    assert shapes[0] == shapes[1]

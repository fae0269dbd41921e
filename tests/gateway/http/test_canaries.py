"""Personal data planted everywhere is found nowhere: logs, error bodies, Valkey, PostgreSQL.

A canary in a log, in an error or in plain in the database would be a person's data in a place that
nobody guards as such. Columns that hold what the contract says is stored as it came are listed by
name; every other column of every table is searched, as text and as bytes.
"""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path

import asyncpg
import httpx
import msgspec
import pytest

from gateway.citizens import Person
from gateway.clock import SystemClock
from gateway.counter import staff
from gateway.ids import SystemIds
from gateway.jobs import TICK_S
from gateway.oidc import Told
from gateway.sessions import csrf_token
from gateway.store.migrate import Connection
from tests.engines import Engines
from tests.gateway.city import open_test_city
from tests.gateway.counter.till import CHOICE, CONFIRM, SECOND, SIGN_IN, code_of
from tests.gateway.desks import open_desk
from tests.gateway.http.canaries import Cage, Planted, requests
from tests.gateway.http.door import Door

#: What the contract stores as it was sent: the caller's own numbers and keys.
STORED_COLUMNS = {
    *("decision.staff", "decision.reference", "decision_request.request_id"),
    *("consent_request.out_request_no", "idempotency.key"),
}

#: Where a citizen's code is typed.
DESK = "123456"

#: Values that really are somebody's: a citizen's own identity, through the front door.
BIRTHDATE = date(1970, 5, 6)


class Aviary(msgspec.Struct, frozen=True):
    """What was planted, what came back, and where to look."""

    planted: frozenset[str]
    stored: dict[str, str]
    person: Told
    answers: list[tuple[Planted, int, str]]
    logs: str
    tables: dict[str, str]
    cache: bytes
    metrics: str


@pytest.fixture(scope="module")
def aviary(door: Door, engines: Engines) -> Aviary:
    return asyncio.run(_planted(door, engines))


async def _planted(door: Door, engines: Engines) -> Aviary:
    cage = Cage()
    person = await _enrolled(door, engines, cage)
    async with httpx.AsyncClient(base_url=door.settings.issuer, timeout=20) as http:
        document = (await http.get("/openapi.json")).json()
        await _shown_and_redeemed(http, door, cage)
        await _staff_signed_in(http, door, cage)
        # Signing out comes last: everything else needs the session that it ends.
        wanted = sorted(requests(door, document, cage), key=_signs_out)
        last = [each for each in wanted if _signs_out(each)]
        gate = asyncio.Semaphore(16)
        answers = [
            answer
            for batch in (wanted[: -len(last)], last)
            for answer in await asyncio.gather(*(_send(http, gate, each) for each in batch))
        ]
        stored = await _asked_well(http, door, cage)
        await asyncio.sleep(2 * TICK_S)  # each worker has written what it counted
        metrics = (await http.get(door.metrics)).text
    logs = "".join(path.read_text("utf-8", "replace") for path in _logs(door, engines))
    return Aviary(
        frozenset(cage.planted),
        stored,
        person,
        [(each, *answer) for each, answer in zip(wanted, answers, strict=True)],
        logs,
        await _tables(door),
        _cache(engines),
        metrics,
    )


def _signs_out(each: Planted) -> bool:
    return "logout" in each.target or "sign-out" in each.target


async def _staff_signed_in(http: httpx.AsyncClient, door: Door, cage: Cage) -> None:
    """Staff take an account up and sign in: link, password, second factor, session are secrets."""
    password = f"three words {cage.plain()}"
    owner: Connection = await asyncpg.connect(door.database.owner_url)
    token = await staff.add(owner, SystemIds(), door.caller.name, "wang.wei", "王伟（示例）")
    await owner.close(timeout=5)
    chosen = await http.post(CHOICE, json={"token": token, "password": password})
    secret = chosen.json()["secret"]
    for steps, path in ((-1, CONFIRM), (0, SECOND)):
        if path == SECOND:
            first = {"login": "wang.wei", "password": password}
            assert (await http.post(SIGN_IN, json=first)).status_code == 200
        code = code_of(secret, SystemClock().now_us(), steps)
        done = await http.post(path, json={"code": code})
        assert done.status_code == 204, done.text
    tickets = set(http.cookies.values())
    cage.planted.update({token, password, secret} | tickets)
    http.cookies.clear()


async def _enrolled(door: Door, engines: Engines, cage: Cage) -> Told:
    """A citizen with a name and an identity number, who looks at both over HTTP."""
    while len(number := cage.next()) != 18 or not number.startswith("99"):
        pass
    told = Told(
        issuer=door.settings.oidc_issuer,
        subject=cage.plain(),
        name=f"金丝雀{cage.plain()}",
        id_number=number,
        birthdate=f"{number[6:10]}-{number[10:12]}-{number[12:14]}",
        full_capacity=True,
    )
    owner: Connection = await asyncpg.connect(door.database.owner_url)
    folder = door.settings.keys_file.parent
    urls = door.database.gateway_url, owner, engines.valkey.url
    async with open_test_city(*urls, folder, issuer=door.settings.issuer) as town:
        session = await town.city.sessions.begin(await town.city.citizens.enrol(told))
        await open_desk(town, DESK)
    await owner.close(timeout=5)
    cage.planted.update((told.name, session, csrf_token(session)))
    cookies = {"qianjiang-session": session}
    async with httpx.AsyncClient(base_url=door.settings.issuer, cookies=cookies) as me:
        seen = (await me.get("/v1/me")).json()["who"]
    assert (seen["name"], seen["id_number"]) == (told.name, told.id_number), "it is really there"
    return told


async def _send(http: httpx.AsyncClient, gate: asyncio.Semaphore, each: Planted) -> tuple[int, str]:
    raw = [(name.encode(), value.encode()) for name, value in each.headers.items()]
    async with gate:
        answer = await http.request(each.method, each.target, headers=raw, content=each.body)
    return answer.status_code, answer.text


async def _asked_well(http: httpx.AsyncClient, door: Door, cage: Cage) -> dict[str, str]:
    """Good requests, with canaries where the contract stores what the caller sends."""
    stored = {name: cage.plain() for name in ("staff", "reference", "request_id", "out_request_no")}
    proof = {"authorization": f"Bearer {door.caller.token}"}
    told = json.loads(door.question) | {
        name: stored[name] for name in ("staff", "reference", "request_id")
    }
    asked = await http.post("/v1/scenarios/rent/eligibility", json=told, headers=proof)
    assert asked.status_code == 200
    request = {"scenario": "rent", "purpose": "deposit_free_rental"}
    request["out_request_no"] = stored["out_request_no"]
    made = await http.post("/v1/consent-requests", json=request, headers=proof)
    assert made.status_code == 201, made.text
    return stored


async def _shown_and_redeemed(http: httpx.AsyncClient, door: Door, cage: Cage) -> None:
    """Codes that were shown, used and typed wrongly are somebody's for as long as they work."""
    visit = door.visit
    mine = {"cookie": f"qianjiang-session={visit.cookie}", "x-csrf-token": visit.csrf}
    proof = {"authorization": f"Bearer {door.caller.token}"}
    for desk in ({}, {"desk": DESK}):
        shown = await http.post("/v1/me/credit-code", json=desk, headers=mine)
        assert shown.status_code == 201, shown.text
        code = shown.json()["code"]
        for wanted in (200, 404):
            asked = {"code": code, "scenario": "rent", "desk": DESK}
            told = await http.post("/v1/credit-codes/redeem", json=asked, headers=proof)
            assert (told.status_code, code in told.text) == (wanted, False)
        cage.planted.add(code)


def _logs(door: Door, engines: Engines) -> list[Path]:
    """The gateway's log, and the engines' own."""
    return [*door.folder.rglob("*.log"), *engines.data.rglob("*.log")]


async def _tables(door: Door) -> dict[str, str]:
    """Every column of every table, as one text."""
    found: dict[str, str] = {}
    reader: Connection = await asyncpg.connect(door.database.superuser_url)
    names = await reader.fetch(
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
    )
    for table in [row["name"] for row in names]:
        for row in await reader.fetch(f'SELECT to_jsonb(t)::text AS row FROM "{table}" AS t'):
            for column, value in json.loads(row["row"]).items():
                place = f"{table}.{column}"
                found[place] = f"{found.get(place, '')}\n{json.dumps(value, ensure_ascii=False)}"
    await reader.close(timeout=5)
    return found


def _cache(engines: Engines) -> bytes:
    """Every key and value in Valkey."""
    found = []
    for key in engines.admin.scan_iter(count=1000):
        kind = engines.admin.type(key)
        assert kind == b"string", f"a kind of value that this test does not read: {kind!r}"
        found += [key, engines.admin.get(key)]
    return b"\n".join(found)


# ------------------------------------------------------------------ what is searched


def test_enough_was_planted_and_answered(aviary: Aviary) -> None:
    assert len(aviary.planted) >= 200
    statuses = {status for _, status, _ in aviary.answers}
    assert statuses >= {400, 401, 403, 404, 415}, "the canaries met every kind of refusal"
    failed = [(each, body) for each, status, body in aviary.answers if status >= 500]
    # The identity provider is not there, and nothing else may fail.
    assert [each for each, _ in failed if not each.target.startswith("/v1/login")] == []
    assert {msgspec.json.decode(body)["status"] for _, body in failed} <= {503}


def test_no_error_repeats_what_was_sent(aviary: Aviary) -> None:
    told = [
        (each.method, each.target, canary)
        for each, status, body in aviary.answers
        if status >= 400
        for canary in aviary.planted
        if canary in body
    ]
    assert told == []


def test_no_log_holds_a_canary(aviary: Aviary, door: Door) -> None:
    secrets = {door.caller.token, door.caller.subject, door.visit.cookie, door.visit.csrf}
    assert {each for each in aviary.planted | secrets if each in aviary.logs} == set()
    lines = [json.loads(line) for line in door.log.splitlines()]
    assert {line["event"] for line in lines} >= {"token_denied"}, "the log is not simply empty"


def test_no_metric_holds_a_canary_or_anybody(aviary: Aviary, door: Door) -> None:
    secrets = {door.caller.token, door.caller.subject, door.visit.cookie, door.visit.csrf}
    somebody = {door.caller.name, "rent-a-bike", str(door.visit.citizen), aviary.person.name}
    text = aviary.metrics
    assert {each for each in aviary.planted | secrets | somebody if each in text} == set()
    assert 'qianjiang_decisions_total{outcome="eligible",party_kind="merchant"' in text, "control"


def test_valkey_holds_no_canary(aviary: Aviary, door: Door) -> None:
    secrets = {door.caller.token, door.caller.subject, door.visit.cookie, door.visit.csrf}
    assert aviary.cache, "standings were cached"
    assert {each for each in aviary.planted | secrets if each.encode() in aviary.cache} == set()


def test_no_other_column_holds_a_canary(aviary: Aviary, door: Door) -> None:
    secrets = {door.caller.token, door.caller.subject, door.visit.cookie, door.visit.csrf}
    found = {
        (place, canary)
        for place, text in aviary.tables.items()
        if place not in STORED_COLUMNS and not place.startswith(_PARTITIONS)
        for canary in aviary.planted | secrets
        if canary in text or canary.encode().hex() in text
    }
    assert found == set()


#: Partitions repeat what their table holds; a reading of the table reads them.
_PARTITIONS = ("decision_2", "decision_default", "decision_facts_")


def test_what_is_stored_is_where_it_should_be(aviary: Aviary) -> None:
    """The control of the search: it finds what must be there."""
    for name, place in (
        *(("staff", "decision.staff"), ("reference", "decision.reference")),
        *(("request_id", "decision_request.request_id"),),
        *(("out_request_no", "consent_request.out_request_no"),),
    ):
        assert aviary.stored[name] in aviary.tables[place]


def test_the_search_finds_bytes(aviary: Aviary) -> None:
    """Another control: the identity is there, sealed."""
    assert "citizen.identity" in aviary.tables
    sealed = aviary.tables["citizen.identity"]
    assert "\\\\x" in sealed, "bytes come as hexadecimal digits"
    assert repr(Person(name="x", id_number="y", birthdate=BIRTHDATE)) == "Person(…)"
    assert "canary" not in repr(aviary.person)

"""A copy of everything: strangers first; then whole, in pages, and so often."""

from __future__ import annotations

import asyncio
import re
import tracemalloc
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from gateway.clock import MINUTE_US
from gateway.errors import AccountClosed
from gateway.export import PAGE, RATE, READING_MAX
from gateway.export_document import Export
from gateway.export_parts import TextAgreed
from gateway.export_sections import SECTIONS
from gateway.jwk import unb64url
from gateway.keys import b64url
from gateway.local.people import person
from gateway.office import Office
from gateway.publication import publish
from gateway.store import export as rows
from gateway.store.migrate import Connection
from gateway.store.sql import read_queries
from gateway.working_days import calendar
from scenarios.compiler import compile_scenario
from scenarios.manifest import Commitment, Consent
from scenarios.registry import Registry
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity
from tests.gateway.my_data.life import WORDS, enrolled, life

PATH = "/v1/me/export"

#: Table → the lists of the document that have its rows.
EXPORTED = {
    "citizen": ("identity",),
    "score": ("score",),
    "score_authorisation": ("authorisations",),
    "fact": ("facts",),
    "consent_request": ("consent_requests",),
    "consent": ("consents",),
    "recognition": ("recognitions",),
    "commitment": ("commitments",),
    "device": ("devices",),
    "session": ("sessions",),
    "decision": ("questions",),
    "decision_facts": ("questions",),
    "decision_undelivered": ("questions",),
    "policy": ("rules", "texts"),
    "search": ("searches",),
    "search_facts": ("searches",),
    "search_undelivered": ("searches",),
    "staff_access": ("staff_acts",),
    "assisted_act": ("assisted_acts",),
    "waiver": ("waivers",),
    "medical_advance": ("medical_advances",),
    "loan": ("loans",),
    "library_card": ("library_cards",),
    "points_entry": ("points",),
    "residency": ("residency",),
    "suspension": ("suspensions",),
    "objection": ("objections",),
    "probe_mark": ("marks",),
    "correction_request": ("corrections",),
    "citizen_limit": ("limits",),
    "visitor": ("identity",),
    "visit": ("visits",),
}

#: Table → why its rows are in no list.
LEFT_OUT = {
    "login": "keyed hashes of what the identity provider calls the person: nothing to read",
    "commitment_nonce": "hashes of texts shown in the last day; what was signed is in commitments",
    "credit_code": "keyed hashes of codes shown in the last minutes: nothing to read",
    "standing": "made of the other tables, and nothing besides",
    "standing_change": "that a standing changed, for the moment until the cache knows",
    "consent_use": "a counter of today's questions, which are all in questions",
    "decision_request": "a party's own number of a question, for a day",
    "counter_question": "a counter's own list of the day; the answers in it are all in questions",
    "idempotency": "answers to the citizen's own writes, for a day, under a hash",
    "recognition_request": "another city's request, for a day; what came of it is in consents and"
    " recognitions, and the rest are hashes of what only that city holds",
    "visit_attempt": "hashes and seals of visits begun in the last minutes: nothing to read",
    "visit_token": "hashes of tokens of the last minutes; what they opened is in sessions",
    "webhook_message": "what organisations were told of acts that are all in consents",
}

#: Columns of exported tables that tell a citizen nothing.
NOT_READ = {
    "consent_request": {"body_hash"},  # a hash of the request, for the party's repeats
    # Hashes, the place of a bit, and what is forgotten within minutes and after the day.
    "visit": {"jti", "home_consent", "status_idx", "granted_at", "is_settled"},
    "recognition": {"number"},  # its place in line among everybody's
    "policy": {"live", "published_at", "retired_at"},  # the rule's own life, and nobody's
}

#: Tables that say nothing about any citizen.
ABOUT_NOBODY = {
    *("schema_migration", "realm", "legal_entity", "party", "party_key", "party_scenario"),
    *("counter_staff", "counter_enrolment", "counter_session", "counter_key"),
    *("trust_list", "recognition_scheme", "recognition_refusal"),
    *("status_list", "status_list_copy"),
    *("assertion_used", "dpop_used", "publish_run", "stock", "webhook_gone", "desk", "miss"),
    "issuer",
}

_TABLES = """
SELECT c.relname AS name FROM pg_class AS c
 WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
"""
_COLUMNS = """
SELECT column_name AS name FROM information_schema.columns
 WHERE table_schema = 'public' AND table_name = $1
"""
_PERSONAL = """
SELECT DISTINCT table_name AS name FROM information_schema.columns
 WHERE table_schema = 'public' AND column_name IN ('citizen', 'identity_index')
"""


async def exported(client: httpx.AsyncClient) -> Export:
    """A whole export, read strictly: no member more or less than the document says."""
    answer = await client.get(PATH)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Export)


# ------------------------------------------------------------------ strangers


async def test_a_stranger_gets_nothing(callers: Callers) -> None:
    for client in (callers.stranger(), callers.party()):
        assert (await client.get(PATH)).status_code == 401
    assert await callers.town.owner.fetchval("SELECT count(*) FROM citizen_limit") == 0


async def test_another_sites_link_uses_up_no_copy(callers: Callers, office: Office) -> None:
    me = await callers.citizen(await enrolled(callers.town, office))
    for site in ("cross-site", "same-site"):
        led = {"sec-fetch-site": site}
        refused = await me.get(PATH, headers=led)
        assert refused.status_code == 403
        assert refused.json()["type"] == "urn:qianjiang:problem:forbidden"
        shown = await me.get("/app/data/export", headers=led)
        assert (shown.status_code, shown.headers["location"]) == (303, "/app/data")
    ours = {"sec-fetch-site": "same-origin"}
    for path, headers in ((PATH, ours), ("/app/data/export", ours), (PATH, {})):
        assert (await me.get(path, headers=headers)).status_code == 200
    assert (await me.get(PATH)).status_code == 429


async def test_asking_for_the_head_alone_costs_nothing(callers: Callers, office: Office) -> None:
    me = await callers.citizen(await enrolled(callers.town, office))
    assert (await me.head(PATH)).status_code == 405
    assert await callers.town.owner.fetchval("SELECT count(*) FROM citizen_limit") == 0


async def test_nobody_gets_a_line_about_somebody_else(callers: Callers, office: Office) -> None:
    town = callers.town
    one, other = await life(town, office, 1), await life(town, office, 2)
    text = (await (await callers.citizen(one)).get(PATH)).text
    for foreign in (str(other), f"w-{other}", f"card-{other}", person(2).id_number):
        assert foreign not in text
    assert person(1).id_number in text


# ------------------------------------------------------------------ what is in it


async def test_no_table_about_citizens_can_be_forgotten(owner: Connection) -> None:
    tables = {row["name"] for row in await owner.fetch(_TABLES)}
    accounted = [*EXPORTED, *LEFT_OUT, *ABOUT_NOBODY]
    assert sorted(tables) == sorted(accounted), "a new table: say what the export does with it"
    # A partition's columns are its table's.
    personal = {row["name"] for row in await owner.fetch(_PERSONAL)} & tables
    assert not personal & ABOUT_NOBODY
    told = {name for members in EXPORTED.values() for name in members}
    assert told == {section.name for section in SECTIONS} | {"identity", "score", "rules", "texts"}


async def test_something_of_every_kind_comes_out(callers: Callers, office: Office) -> None:
    citizen = await life(callers.town, office)
    document = await exported(await callers.citizen(citizen))
    for section in SECTIONS:
        # Nobody is a citizen of the city and a visitor to it.
        assert bool(getattr(document, section.name)) != (section.name == "visits"), section.name
    assert (document.identity.name, document.identity.id_number) == (
        person(1).name,
        person(1).id_number,
    )
    assert document.score is not None
    assert document.score.score == document.score.explanation.score
    (fact,) = document.facts
    assert (fact.department, fact.value) == ("utilities", 18)
    assert [each.words for each in document.corrections] == [WORDS]
    assert [act.action for act in document.staff_acts] == ["facts.import"]
    assert document.complete is True


async def test_a_question_comes_with_its_reasons_its_facts_and_its_receipt(
    callers: Callers, office: Office
) -> None:
    town = callers.town
    citizen = await life(town, office)
    answer = await town.ask(citizen, reference="case-2")
    document = await exported(await callers.citizen(citizen))
    question = next(each for each in document.questions if each.id == answer.decision)
    seen = body(await (await callers.citizen(citizen)).get(f"/v1/decisions/{answer.decision}"))
    assert (question.outcome, question.receipt) == (answer.outcome.wire, b64url(answer.receipt))
    assert question.facts == seen["facts"] != {}
    assert [(each.id, each.met) for each in question.clauses] == [
        (each["id"], each["met"]) for each in seen["clauses"]
    ]
    assert msgspec.to_builtins(question.consent) == seen["consent"]
    (rule,) = document.rules
    assert msgspec.to_builtins(question.policy) == seen["policy"]
    assert (rule.scenario, rule.revision) == (question.policy.scenario, question.policy.revision)
    assert [each.zh for each in rule.clauses] == [each["zh"] for each in seen["clauses"]]
    (found,) = document.searches
    assert found.facts
    assert [each.scenario for each in found.scenarios if each.eligible] == ["rent"]


async def test_every_text_that_was_agreed_to_is_there_under_its_hash(
    callers: Callers, office: Office
) -> None:
    """Once for all versions of a consent or promise; former words where they were published."""
    town = callers.town
    citizen = await life(town, office)
    me, today = await callers.citizen(citizen), town.city.registry
    manifest = today["rent"].manifest
    assert manifest.commitment is not None
    # The city of tests publishes its revisions without their manifests.
    await town.owner.execute(
        "UPDATE policy SET manifest = $1 WHERE scenario = 'rent'",
        msgspec.json.encode(manifest).decode(),
    )
    document = await exported(me)
    named = {each.text_sha256 for each in document.consents}
    assert set(document.texts) == named | {each.text_sha256 for each in document.commitments}
    agreed: dict[str, Consent | Commitment] = {
        "consent": manifest.consent,
        "commitment": manifest.commitment,
    }
    for kind, text in agreed.items():
        found = document.texts[text.text_sha256.hex()]
        assert (found.kind, found.scenario, found.version) == (kind, "rent", text.version)
        assert (found.zh, found.en) == (text.zh, text.en)
    words = msgspec.structs.replace(
        manifest.consent, version="0.9.0", zh="我同意：旧的文本。", en="I allow: former words."
    )
    old = compile_scenario(msgspec.structs.replace(manifest, consent=words), calendar())
    for registry in (Registry({**today, "rent": old}), today):
        await publish(town.owner, registry, "330100")
    await town.owner.execute("UPDATE consent SET text_sha256 = $1", words.text_sha256)
    assert (await exported(me)).texts[words.text_sha256.hex()] == TextAgreed(
        kind="consent", scenario="rent", version="0.9.0", zh=words.zh, en=words.en
    )


async def test_every_receipt_can_be_made_again_from_the_copy(
    callers: Callers, office: Office
) -> None:
    town = callers.town
    citizen = await life(town, office)
    for given in ({}, {"staff": "desk-9"}, {"request_id": "a", "body_hash": b"a"}):
        await town.ask(citizen, **given)
    await town.owner.execute("UPDATE party SET tokens_not_before = 'epoch'")
    document = await exported(await callers.citizen(citizen))
    answers: list[Any] = [*document.questions, *document.searches]
    assert len(answers) == 5
    for answer in answers:
        assert b64url(sha256(unb64url(answer.record)).digest()) == answer.receipt


async def test_the_contract_describes_the_file(callers: Callers) -> None:
    document = body(await callers.stranger().get("/openapi.json"))
    told = document["paths"][PATH]["get"]["responses"]["200"]["content"]["application/json"]
    assert told["schema"] == {"$ref": "#/components/schemas/Export"}
    members = document["components"]["schemas"]["Export"]["properties"]
    assert set(members) == set(Export.__struct_fields__)


async def test_no_column_about_a_citizen_can_be_forgotten(owner: Connection) -> None:
    """Every column of an exported table is read by its section, or is here with its reason."""
    asked = read_queries("export")
    for table, members in EXPORTED.items():
        read = " ".join(asked.get(member, "") for member in members)
        if not read.strip():
            continue  # identity and score are read by their own services
        columns = await owner.fetch(_COLUMNS, table)
        lost = {
            row["name"] for row in columns if not re.search(rf"\b{row['name']}\b", read)
        } - NOT_READ.get(table, set())
        assert lost == set(), table


async def test_it_comes_as_a_file_that_names_nobody(callers: Callers, office: Office) -> None:
    me = await callers.citizen(await enrolled(callers.town, office))
    answer = await me.get(PATH)
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["cache-control"] == "no-store"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="qianjiang-20')
    assert person(1).id_number not in disposition


async def test_without_an_authorisation_there_is_no_score_in_it(
    callers: Callers, office: Office
) -> None:
    citizen = await enrolled(callers.town, office)
    await callers.town.city.authorisations.withdraw(citizen, None)
    document = await exported(await callers.citizen(citizen))
    assert document.score is None
    assert [each.status for each in document.authorisations] == ["given", "withdrawn"]


# ------------------------------------------------------------------ in pages


async def test_every_lookup_of_many_comes_once_in_bounded_memory(
    callers: Callers, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = callers.town
    citizen = await life(town, office)
    await town.owner.execute(_MANY, citizen, 4_999)
    sizes: list[int] = []

    async def counted(*given: Any) -> list[rows.Row]:
        page = await _page(*given)
        sizes.append(len(page))
        return page

    _page = rows.page
    monkeypatch.setattr(rows, "page", counted)
    whole = bytearray()
    tracemalloc.start()
    try:
        async for chunk in await town.city.exports.begin(citizen):
            whole += chunk
            assert len(chunk) < 2 * PAGE * 1024
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    document = msgspec.json.decode(bytes(whole), type=Export)
    identifiers = [each.id for each in document.questions]
    assert len(set(identifiers)) == len(identifiers) == 5_000
    assert identifiers == sorted(identifiers)
    assert max(sizes) == PAGE
    # The text itself is held by this test; what writing it took besides is some pages' worth.
    assert peak - 2 * len(whole) < 8 * 2**20, (peak, len(whole))


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1])
async def test_a_page_that_is_just_full_is_no_end(
    callers: Callers, office: Office, count: int
) -> None:
    town = callers.town
    citizen = await life(town, office)
    await town.owner.execute(
        "INSERT INTO points_entry (id, citizen, community, points, at)"
        " SELECT 'e-' || n, $1, 'x', n, clock_timestamp() FROM generate_series(2, $2::int) AS n",
        *(citizen, count),
    )
    document = await exported(await callers.citizen(citizen))
    assert len({each.id for each in document.points}) == len(document.points) == count


async def test_few_pages_are_read_at_a_time(callers: Callers, office: Office) -> None:
    town = callers.town
    people = [await enrolled(town, office, number) for number in range(1, 7)]
    reading = most = 0

    async def watched(*given: Any) -> list[rows.Row]:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        try:
            return await _page(*given)
        finally:
            reading -= 1

    _page = rows.page
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "page", watched)
        await asyncio.gather(*(_drained(town, citizen) for citizen in people))
    assert most == READING_MAX


async def _drained(town: TestCity, citizen: UUID) -> None:
    async for _ in await town.city.exports.begin(citizen):
        await asyncio.sleep(0)


async def test_who_closes_the_account_meanwhile_gets_no_more_of_it(
    callers: Callers, office: Office
) -> None:
    town = callers.town
    citizen = await life(town, office)
    closing = town.city.closing
    written = await town.city.exports.begin(citizen)
    assert await anext(written)
    await closing.close(citizen, closing.text.sha256)
    with pytest.raises(AccountClosed):
        async for _ in written:
            pass
    assert town.city.exports._writing == 0


# ------------------------------------------------------------------ so often


async def test_three_at_once_and_then_one_in_ten_minutes(
    callers: Callers, office: Office, other_worker: TestCity
) -> None:
    town = callers.town
    citizen = await enrolled(town, office)
    mine = [await callers.citizen(citizen), await Callers(other_worker).citizen(citizen)]
    for number in range(RATE.burst):
        await exported(mine[number % 2])  # every worker counts the same
    refused = await mine[0].get(PATH)
    assert refused.status_code == 429
    assert refused.json()["type"] == "urn:qianjiang:problem:too-many-requests"
    assert 0 < int(refused.headers["retry-after"]) <= 2 * 600
    # Another citizen is not held up by it, and ten minutes later there is one more.
    await exported(await callers.citizen(await enrolled(town, office, 2)))
    await town.owner.execute(
        "UPDATE citizen_limit SET full_at = full_at - make_interval(secs => $1)",
        RATE.interval_us / MINUTE_US * 60,
    )
    await exported(mine[1])
    assert (await mine[1].get(PATH)).status_code == 429


#: So many more questions like the newest one about a citizen.
_MANY = """
WITH model AS (SELECT * FROM decision WHERE citizen = $1 ORDER BY id DESC LIMIT 1),
made AS (
  INSERT INTO decision
  SELECT uuidv7(), at_us, received_us, party, party_revision, policy, citizen, standing_version,
         consent, consent_version, outcome, clauses, since_us, until_us, valid_until_us,
         score_as_of, facts_hash, staff, 'n-' || n, repeat_of, receipt
    FROM model, generate_series(1, $2::int) AS n
  RETURNING id)
INSERT INTO decision_facts SELECT id, sha256(id::text::bytea) FROM made
"""

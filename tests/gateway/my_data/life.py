"""A citizen's life in the city: something of everything that can be on record about a person."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx

from gateway import city_facts
from gateway.clock import DAY_US
from gateway.consent_requests import Asked
from gateway.consents import Terms
from gateway.corrections import AboutOther, Said
from gateway.errors import StillRunning
from gateway.fact_file import Row
from gateway.fact_import import FactImport, identity_index
from gateway.identity_number import parse_identity_number
from gateway.local.people import person
from gateway.office import Office
from gateway.oidc import Told
from gateway.scores import today
from gateway.store.city_fact import (
    CityFact,
    LibraryCard,
    Loan,
    MedicalAdvance,
    Objection,
    PointsEntry,
    Stay,
    Suspension,
    Waiver,
)
from gateway.store.staff import Staff
from scoring import load_catalogue
from tests.gateway.assisted.desk import Desk
from tests.gateway.callers import body
from tests.gateway.citizens.browser import Phone
from tests.gateway.city import ENTITY, MERCHANT, TestCity
from tests.gateway.searching import search

#: Words that nobody but the citizen wrote, looked for where they must not be.
WORDS = "这条记录不是我的 8f2c"
CLOSURE = "/v1/me/closure"
DEVICE = "小林的手机 8f2c"


_SCHEME_AND_LIST = """
INSERT INTO recognition_scheme (id, version, valid_from, text, sha256)
VALUES ('example-delta', 1, '2026-01-01', '', sha256('')) ON CONFLICT DO NOTHING;
INSERT INTO status_list (size) SELECT 131072 WHERE NOT EXISTS (SELECT FROM status_list)
"""
_REQUEST = """
INSERT INTO recognition_request (id, uri_hash, party, redirect_uri, scenarios, state,
  code_challenge, jkt, status, citizen, expires_at)
SELECT gen_random_uuid(), $2, min(num), 'https://city.example/callback', '{library}',
       'state-0123456789', 'x', 'x', 'exchanged', $1, clock_timestamp() FROM party
"""
_RECOGNITION = """
INSERT INTO recognition (id, citizen, party, city, consent, scenarios, scheme, scheme_version, tier,
  band_floor, status_list, status_idx, until_at, ended_at, reason)
SELECT gen_random_uuid(), $1, c.party, '330200', c.id, '{library}', 'example-delta', 1, 'T1', 4,
       (SELECT min(id) FROM status_list), (SELECT count(*) FROM recognition), clock_timestamp(),
       clock_timestamp(), 'replaced'
  FROM (SELECT n.id, (SELECT min(num) FROM party) AS party FROM consent AS n
         WHERE n.citizen = $1 LIMIT 1) AS c
"""


def told(number: int = 1) -> Told:
    """What the identity provider says of a person."""
    who = person(number)
    return Told(
        issuer="https://login.example",
        subject=who.login,
        name=who.name,
        id_number=who.id_number,
        birthdate=who.birthdate.isoformat(),
        full_capacity=True,
    )


def index_of(town: TestCity, number: int = 1) -> bytes:
    """The blind index of a person."""
    return identity_index(
        town.city.keys.blind_index, parse_identity_number(person(number).id_number)
    )


async def enrolled(town: TestCity, office: Office, number: int = 1) -> UUID:
    """A person signed in for the first time, with a fact on file and a score."""
    row: dict[str, object] = {
        "id_number": person(number).id_number,
        "department": "utilities",
        "code": "months_paid_on_time",
        "value": "18",
        "effective": "2026-01-01",
        "source": "示例-1",
    }
    catalogue = load_catalogue(today(town.city.clock))
    citizen = await town.city.citizens.enrol(told(number))
    importing = FactImport(
        office.database, catalogue, office.keys.blind_index, Staff("示例-王", "示例")
    )
    report = await importing.run([Row(2, row)], lambda _: None)
    assert report.new == 1
    given = town.city.authorisations
    await given.give(citizen, given.notice.sha256, (), None)
    return citizen


async def life(town: TestCity, office: Office, number: int = 1) -> UUID:
    """A citizen about whom there is something of every kind, and nothing that is still open."""
    citizen = await enrolled(town, office, number)
    await _promise(town, citizen)
    await _consent(town, citizen)
    await town.ask(citizen, staff="desk-1", reference="case-1")
    await search(town, citizen)
    await city_facts.load(office.writer, settled(town, citizen))
    await Desk(town).find(number)
    await town.city.corrections.ask(citizen, Said(AboutOther(), WORDS), None)
    session = await town.city.sessions.begin(citizen)
    await town.city.credit_codes.show(citizen, sha256(session.encode()).digest())
    await town.owner.execute(
        "INSERT INTO probe_mark SELECT $1, sector, clock_timestamp() + interval '1 hour'"
        " FROM legal_entity WHERE id = $2",
        *(citizen, ENTITY),
    )
    await _recognised(town, citizen)
    await town.owner.execute(
        "INSERT INTO citizen_limit VALUES ($1, 'other', clock_timestamp())", citizen
    )
    return citizen


def settled(town: TestCity, citizen: UUID) -> list[CityFact]:
    """One city fact of each kind; what can be open is not."""
    now, ids = town.city.clock.now_us(), town.city.ids
    before = now - DAY_US
    return [
        Waiver(citizen, f"w-{citizen}", ENTITY, 30_000, before, now),
        MedicalAdvance(citizen, f"m-{citizen}", 12_000, before, now),
        Loan(citizen, f"l-{citizen}", ENTITY, 3, before, now),
        LibraryCard(citizen, ENTITY, f"card-{citizen}"),
        PointsEntry(citizen, f"p-{citizen}", "330106-001", 80, before, now + DAY_US),
        Stay(citizen, "330106-001", before),
        Suspension(citizen, ids.random_uuid(), "hospital", before, now),
        Objection(citizen, ids.random_uuid(), "hospital", before, now),
    ]


async def asked_in_person(town: TestCity, citizen: UUID, number: str) -> UUID:
    """A party's request that this citizen alone may decide."""
    asked = Asked(scenario="rent", purpose="deposit_free_rental", out_request_no=number)
    held = await town.city.consent_requests.ask(town.principal(MERCHANT), asked, citizen=citizen)
    return held.id


async def _consent(town: TestCity, citizen: UUID) -> None:
    request = await asked_in_person(town, citizen, f"r-{citizen}")
    text = town.city.registry["rent"].manifest.consent
    await town.city.consents.grant(citizen, request, Terms(text_sha256=text.text_sha256.hex()))


async def _recognised(town: TestCity, citizen: UUID) -> None:
    """Another city asked, was told, and no longer is."""
    await town.owner.execute(_SCHEME_AND_LIST)
    await town.owner.execute(_REQUEST, citizen, town.city.ids.random_bytes(32))
    await town.owner.execute(_RECOGNITION, citizen)


async def _promise(town: TestCity, citizen: UUID) -> None:
    phone = Phone()
    await town.city.devices.register(citizen, DEVICE, phone.jwk, None)
    draft = await town.city.commitments.draft(citizen, "rent", None)
    shown: dict[str, Any] = {
        "template": draft.text.template,
        "template_version": draft.text.version,
        "text_sha256": draft.text.text_sha256.hex(),
        **{name: getattr(draft, name) for name in ("scenario", "party", "subject", "nonce")},
        **{name: getattr(draft, name) for name in ("iat", "exp")},
    }
    await town.city.commitments.sign(citizen, phone.sign(shown), None)
    await town.city.commitments.draft(citizen, "rent", None)  # shown, and never signed


async def close(client: httpx.AsyncClient) -> httpx.Response:
    """Close the account by the text as it is shown."""
    text = body(await client.get(CLOSURE))["text_sha256"]
    return await client.post(CLOSURE, json={"text_sha256": text})


async def closed(town: TestCity, citizen: UUID) -> None:
    """Close an account without HTTP, however often it has to wait for other writers."""
    closing = town.city.closing
    for _ in range(20):
        with suppress(StillRunning):
            return await closing.close(citizen, closing.text.sha256)
    raise StillRunning

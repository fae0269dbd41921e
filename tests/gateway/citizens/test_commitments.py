"""Commitments: the very text, the own key, once; taken back, void, or standing."""

from __future__ import annotations

import asyncio
import hashlib
import struct
from typing import Any, NamedTuple

import pytest

from gateway.body import decode_body, scenario_tag
from gateway.clock import from_us, rfc3339
from gateway.commitment_receipt import receipt
from gateway.commitments import CITY_SECTOR
from gateway.jwk import unb64url
from gateway.keys import b64url
from gateway.store.migrate import Connection
from scenarios.manifest import text_sha256
from tests.gateway import forge
from tests.gateway.citizens.browser import Browser, Phone
from tests.gateway.citizens.signing import DEVICES, PATH, sent, shown, with_phone
from tests.gateway.city import ENTITY, MERCHANT, TestCity


async def refused(browser: Browser, owner: Connection, jws: str) -> None:
    """The signature is refused with one word for every cause, and nothing is kept."""
    before = await owner.fetchval("SELECT count(*) FROM commitment")
    answer = await sent(browser, jws)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:qianjiang:problem:commitment-refused"
    assert set(answer.json()) == {"type", "status", "title"}
    assert await owner.fetchval("SELECT count(*) FROM commitment") == before


class Slip(NamedTuple):
    """A commitment as it lies in a standing's body."""

    tag: bytes
    sector: int
    since_us: int


async def slips(owner: Connection) -> tuple[Slip, ...]:
    """What decisions read."""
    packed = decode_body(await owner.fetchval("SELECT body FROM standing")).commitments
    return tuple(Slip(*record) for record in struct.iter_unpack(">8sIq", packed))


async def test_a_stranger_can_promise_nothing(browser: Browser) -> None:
    for path in (PATH, "/v1/me/scenarios"):
        assert (await browser.get(path)).status_code == 401
    nobodys = f"{PATH}/00000000-0000-0000-0000-000000000000/withdrawal"
    for path in (PATH, f"{PATH}/drafts", nobodys):
        assert (await browser.post(path)).status_code == 401
    await browser.log_in()
    assert (await browser.post(nobodys)).status_code == 404
    browser.csrf = "x"
    for path in (PATH, f"{PATH}/drafts", nobodys):
        assert (await browser.post(path)).status_code == 403


async def test_the_draft_names_the_very_text(browser: Browser, town: TestCity) -> None:
    await browser.log_in()
    draft = await shown(browser)
    manifest = town.city.registry["rent"].manifest.commitment
    assert manifest is not None
    assert draft["text"]["zh"] == manifest.zh
    assert draft["text_sha256"] == text_sha256(draft["template_version"], manifest.zh).hex()
    assert draft["exp"] - draft["iat"] == 600
    assert len(draft["nonce"]) >= 22


async def test_what_cannot_be_promised_is_not_shown(browser: Browser, town: TestCity) -> None:
    await town.party()
    await browser.log_in()
    for wish, status in (
        ({"scenario": "no-such"}, 404),
        ({"scenario": "rent", "party": "no-such-party"}, 400),
        ({"scenario": "library", "party": MERCHANT}, 400),
        ({}, 400),
        ({"scenario": "rent", "more": 1}, 400),
    ):
        assert (await browser.post(f"{PATH}/drafts", wish)).status_code == status, wish


async def test_a_promise_towards_the_city_opens_the_way_at_once(
    browser: Browser, town: TestCity, owner: Connection
) -> None:
    phone = await with_phone(browser)
    draft = await shown(browser)
    citizen = await owner.fetchval("SELECT id FROM citizen")
    assert draft["subject"] == town.city.pseudonyms.subject(citizen, CITY_SECTOR)
    answer = await sent(browser, phone.sign(draft))
    assert answer.status_code == 201
    signed = answer.json()
    assert (signed["status"], signed["version"], signed["towards"]) == ("signed", 1, None)
    assert (await browser.get(PATH)).json() == {"commitments": [signed]}
    ((tag, sector, _),) = await slips(owner)
    assert (tag, sector) == (scenario_tag("rent"), 0)


async def test_a_promise_towards_one_party_is_under_its_own_name_for_the_citizen(
    browser: Browser, town: TestCity, owner: Connection
) -> None:
    await town.party()
    phone = await with_phone(browser)
    draft = await shown(browser, MERCHANT)
    citizen = await owner.fetchval("SELECT id FROM citizen")
    sector = await owner.fetchval("SELECT sector FROM legal_entity WHERE id = $1", ENTITY)
    assert draft["subject"] == town.city.pseudonyms.subject(citizen, sector)
    assert (await sent(browser, phone.sign(draft))).json()["towards"] == ENTITY
    assert [slip.sector for slip in await slips(owner)] == [sector]


async def test_the_receipt_is_the_hash_of_the_record(
    browser: Browser, town: TestCity, owner: Connection
) -> None:
    phone = await with_phone(browser)
    signed = (await sent(browser, phone.sign(await shown(browser)))).json()
    citizen = await owner.fetchval("SELECT id FROM citizen")
    (row,) = await town.city.commitments.of(citizen)
    assert unb64url(signed["receipt"]) == receipt(row)
    assert len(receipt(row)) == hashlib.sha256().digest_size


CHANGES: list[dict[str, Any]] = [
    {"text_sha256": hashlib.sha256(b"another text").hexdigest()},
    {"template": "another"},
    {"template_version": "1.0.1"},
    {"template_version": 1},
    {"scenario": "library"},
    {"party": MERCHANT},
    {"subject": "another"},
    {"nonce": "x" * 32},
    {"nonce": None},
    {"exp": None},
    {"iat": None},
    {"more": 1},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
async def test_an_altered_claim_is_refused(
    browser: Browser, town: TestCity, owner: Connection, change: dict[str, Any]
) -> None:
    await town.party()
    phone = await with_phone(browser)
    await refused(browser, owner, phone.sign(await shown(browser), **change))


@pytest.mark.parametrize("by_s", [-1, 1])
async def test_the_window_for_signing_is_the_servers(
    browser: Browser, owner: Connection, by_s: int
) -> None:
    phone = await with_phone(browser)
    draft = await shown(browser)
    await refused(browser, owner, phone.sign(draft, exp=draft["exp"] + by_s))


async def test_a_promise_to_one_party_is_not_one_to_all(
    browser: Browser, town: TestCity, owner: Connection
) -> None:
    await town.party()
    phone = await with_phone(browser)
    citizen = await owner.fetchval("SELECT id FROM citizen")
    draft = await shown(browser, MERCHANT)
    await refused(browser, owner, phone.sign(draft, party=None))
    city = town.city.pseudonyms.subject(citizen, CITY_SECTOR)
    await refused(browser, owner, phone.sign(draft, subject=city))
    await owner.execute("UPDATE party SET status = 'closed'")
    await town.city.parties.refresh(force=True)
    await refused(browser, owner, phone.sign(draft, subject=city))
    await refused(browser, owner, phone.sign(draft))


async def test_another_key_does_not_sign(browser: Browser, owner: Connection) -> None:
    phone, stranger = await with_phone(browser), Phone()
    draft = await shown(browser)
    await refused(browser, owner, stranger.sign(draft))
    stranger.kid = phone.kid
    await refused(browser, owner, stranger.sign(draft))


async def test_another_citizens_device_does_not_sign(
    browser: Browser, other: Browser, owner: Connection
) -> None:
    await with_phone(browser, "lin")
    theirs = await with_phone(other, "mei")
    await refused(browser, owner, theirs.sign(await shown(browser)))


async def test_another_citizens_nonce_does_not_serve(
    browser: Browser, other: Browser, owner: Connection
) -> None:
    phone = await with_phone(browser, "lin")
    await with_phone(other, "mei")
    own, theirs = await shown(browser), await shown(other)
    await refused(browser, owner, phone.sign(own, nonce=theirs["nonce"]))
    assert (await sent(browser, phone.sign(own))).status_code == 201


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": ...},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "EdDSA"},
        {"b64": False, "crit": ["b64"]},
        {"jwk": {}},
    ],
    ids=str,
)
async def test_no_other_kind_of_token_is_a_promise(
    browser: Browser, owner: Connection, header: dict[str, Any]
) -> None:
    phone = await with_phone(browser)
    honest = phone.sign(await shown(browser)).split(".")
    head = {"alg": "ES256", "kid": phone.kid, "typ": "qjf-commitment+jws"} | header
    await refused(browser, owner, forge.token(forge.dumps(head), unb64url(honest[1]), phone.key))


async def test_a_nonce_is_good_once(browser: Browser, owner: Connection) -> None:
    phone = await with_phone(browser)
    jws = phone.sign(await shown(browser))
    assert (await sent(browser, jws)).status_code == 201
    await refused(browser, owner, jws)
    head, body, signature = jws.split(".")
    r, s = (int.from_bytes(half) for half in (unb64url(signature)[:32], unb64url(signature)[32:]))
    # Every ES256 signature has a twin that verifies as well.
    twin = f"{head}.{body}.{b64url(forge.joined(r, forge.N - s))}"
    assert twin != jws
    await refused(browser, owner, twin)


async def test_sent_at_once_from_everywhere_it_is_one_promise(
    browser: Browser, owner: Connection
) -> None:
    phone = await with_phone(browser)
    jws = phone.sign(await shown(browser))
    answers = await asyncio.gather(*(sent(browser, jws) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]
    assert await owner.fetchval("SELECT count(*) FROM commitment") == 1


async def test_the_same_request_again_gets_the_same_answer(
    browser: Browser, owner: Connection
) -> None:
    phone = await with_phone(browser)
    jws = phone.sign(await shown(browser))
    first, again = await sent(browser, jws, "k"), await sent(browser, jws, "k")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    other_body = await sent(browser, phone.sign(await shown(browser)), "k")
    assert other_body.status_code == 422
    assert await owner.fetchval("SELECT count(*) FROM commitment") == 1


async def test_after_its_ten_minutes_a_draft_is_nothing(
    browser: Browser, owner: Connection
) -> None:
    phone = await with_phone(browser)
    draft = await shown(browser)
    await owner.execute("UPDATE commitment_nonce SET expires_at = clock_timestamp()")
    await refused(browser, owner, phone.sign(draft))


async def test_a_refused_signature_leaves_the_draft_to_the_true_one(
    browser: Browser, owner: Connection
) -> None:
    phone = await with_phone(browser)
    draft = await shown(browser)
    await refused(browser, owner, phone.sign(draft, template="another"))
    assert (await sent(browser, phone.sign(draft))).status_code == 201


async def test_a_promise_is_taken_back_at_any_time(browser: Browser, owner: Connection) -> None:
    phone = await with_phone(browser)
    signed = (await sent(browser, phone.sign(await shown(browser)))).json()
    for _ in range(2):
        answer = await browser.post(f"{PATH}/{signed['id']}/withdrawal")
        assert (answer.status_code, answer.json()["status"]) == (200, "withdrawn")
        assert answer.json()["version"] == 2
    assert await slips(owner) == ()
    again = (await sent(browser, phone.sign(await shown(browser)))).json()
    assert (again["id"], again["version"], again["status"]) == (signed["id"], 3, "signed")
    assert len(await slips(owner)) == 1


async def test_another_citizens_promise_is_not_to_be_seen_or_taken_back(
    browser: Browser, other: Browser, owner: Connection
) -> None:
    phone = await with_phone(browser, "lin")
    signed = (await sent(browser, phone.sign(await shown(browser)))).json()
    await other.log_in("mei")
    assert (await other.get(PATH)).json() == {"commitments": []}
    assert (await other.post(f"{PATH}/{signed['id']}/withdrawal")).status_code == 404
    assert await owner.fetchval("SELECT count(*) FROM commitment") == 1


async def test_a_revoked_device_signs_nothing_more(browser: Browser, owner: Connection) -> None:
    phone = await with_phone(browser)
    draft = await shown(browser)
    (device,) = (await browser.get(DEVICES)).json()["devices"]
    await browser.post(f"{DEVICES}/{device['id']}/revocation")
    await refused(browser, owner, phone.sign(draft))


async def test_what_was_signed_since_a_theft_is_void_and_what_was_before_stands(
    browser: Browser, town: TestCity, owner: Connection
) -> None:
    await town.party()
    phone = await with_phone(browser)
    before = (await sent(browser, phone.sign(await shown(browser)))).json()
    stolen_us = town.city.clock.now_us()
    # The thief dates the signature back; the instant that counts is the database's.
    draft = await shown(browser, MERCHANT)
    jws = phone.sign(draft, iat=draft["iat"] - 100)
    after = (await sent(browser, jws)).json()
    (device,) = (await browser.get(DEVICES)).json()["devices"]
    since = {"compromised_since": from_us(stolen_us).isoformat()}
    await browser.post(f"{DEVICES}/{device['id']}/revocation", since)
    states = {c["id"]: c["status"] for c in (await browser.get(PATH)).json()["commitments"]}
    assert states == {before["id"]: "signed", after["id"]: "void"}
    assert [slip.sector for slip in await slips(owner)] == [0]
    assert (await browser.post(f"{PATH}/{after['id']}/withdrawal")).status_code == 409
    # Found out later to have been stolen earlier.
    await browser.post(
        f"{DEVICES}/{device['id']}/revocation", {"compromised_since": "2026-01-01T00:00:00Z"}
    )
    assert await slips(owner) == ()


async def test_revoking_without_a_theft_voids_nothing(browser: Browser, owner: Connection) -> None:
    phone = await with_phone(browser)
    await sent(browser, phone.sign(await shown(browser)))
    (device,) = (await browser.get(DEVICES)).json()["devices"]
    await browser.post(f"{DEVICES}/{device['id']}/revocation")
    assert len(await slips(owner)) == 1


async def test_revoking_and_signing_at_once_end_in_one_order(
    browser: Browser, owner: Connection, town: TestCity
) -> None:
    for round_number in range(6):
        phone = Phone()
        if not round_number:
            await browser.log_in()
        made = await browser.post(DEVICES, {"name": "p", "jwk": phone.jwk})
        jws = phone.sign(await shown(browser))
        # The instant lies before whatever is signed: signed first or refused, nothing stands.
        since = {"compromised_since": rfc3339(town.city.clock.now_us())}
        answer, _ = await asyncio.gather(
            sent(browser, jws), browser.post(f"{DEVICES}/{made.json()['id']}/revocation", since)
        )
        assert answer.status_code in (201, 422)
        assert await slips(owner) == ()


async def test_versions_are_never_altered(browser: Browser, connection: Connection) -> None:
    phone = await with_phone(browser)
    await sent(browser, phone.sign(await shown(browser)))
    for change in ("UPDATE commitment SET status = 'void'", "DELETE FROM commitment"):
        with pytest.raises(Exception, match="permission denied"):
            await connection.execute(change)


async def test_the_scenarios_show_what_stands(browser: Browser, town: TestCity) -> None:
    phone = await with_phone(browser)

    async def committed() -> dict[str, bool]:
        listed = (await browser.get("/v1/me/scenarios")).json()["scenarios"]
        return {scenario["id"]: scenario["committed"] for scenario in listed}

    assert await committed() == dict.fromkeys(town.city.registry, False)
    await sent(browser, phone.sign(await shown(browser)))
    assert (await committed())["rent"] is True
    assert sum((await committed()).values()) == 1

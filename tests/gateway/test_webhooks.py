"""Messages to parties: written with the change, sent signed, at least once, nowhere else."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import SECOND_US
from gateway.consent_requests import Asked
from gateway.consents import Terms
from gateway.jwk import unb64url
from gateway.store.consent import Consent
from gateway.webhooks import (
    DELAYS_S,
    PARTY_BATCH,
    PATIENCE_S,
    WebhookSender,
    next_wait_s,
    retry_after_s,
    webhook_public_jwk,
)
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity
from tests.gateway.receiver import Receiver

Sends = Callable[..., WebhookSender]


@pytest.fixture
def sender(town: TestCity) -> Sends:
    def make(*, loopback: bool = True, timeout_s: float = 5.0) -> WebhookSender:
        city = town.city
        return WebhookSender(
            city.database,
            city.keys,
            city.clock,
            city.ids,
            allow_loopback_http=loopback,
            timeout_s=timeout_s,
        )

    return make


def public_key(town: TestCity) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(unb64url(webhook_public_jwk(town.city.keys).x))


async def asked(town: TestCity, number: str = "r-1") -> UUID:
    ask = Asked(scenario="rent", purpose="deposit_free_rental", out_request_no=number)
    return (await town.city.consent_requests.ask(town.principal(), ask)).id


async def consented(town: TestCity, citizen: UUID | None = None, number: str = "r-1") -> Consent:
    """A consent given to the merchant: one message in the outbox."""
    text = town.city.registry["rent"].manifest.consent.text_sha256.hex()
    request = await asked(town, number)
    person = citizen or await town.citizen()
    return await town.city.consents.grant(person, request, Terms(text_sha256=text))


async def due_now(town: TestCity) -> None:
    await town.owner.execute("UPDATE webhook_message SET next_at = clock_timestamp()")


async def outbox(town: TestCity) -> list[Any]:
    return await town.owner.fetch(
        "SELECT m.*, p.id AS name FROM webhook_message AS m JOIN party AS p ON p.num = m.party"
        " ORDER BY m.created_at, p.id"
    )


# ------------------------------------------------------------------ what is written


async def test_every_act_is_told_once_and_nothing_else_is(town: TestCity) -> None:
    await town.party(webhook_url="https://shop.example/hook")
    consent = await consented(town)
    acts = town.city.consents
    for act in (acts.pause, acts.resume, acts.withdraw):
        for _ in range(2):
            await act(consent.citizen, consent.id)
    request = await asked(town, "r-2")
    for _ in range(2):
        await acts.decline(await _decider(town, request), request)
    types = [row["type"] for row in await outbox(town)]
    names = ["granted", "paused", "resumed", "withdrawn", "declined"]
    assert types == [f"consent.{name}" for name in names]


async def _decider(town: TestCity, request: UUID) -> UUID:
    decided = await town.owner.fetchval("SELECT citizen FROM consent_request WHERE id=$1", request)
    return decided or await town.citizen()


async def test_a_message_names_the_citizen_by_the_recipients_subject_alone(town: TestCity) -> None:
    await town.party(webhook_url="https://shop.example/hook")
    consent = await consented(town)
    await town.city.consents.withdraw(consent.citizen, consent.id)
    granted, withdrawn = (msgspec.json.decode(row["payload"]) for row in await outbox(town))
    sector = town.principal().party.row.own_sector
    subject = town.city.pseudonyms.subject(consent.citizen, sector)
    assert granted["data"] == {
        "scenario": "rent",
        "subject": subject,
        "purpose": "deposit_free_rental",
        "version": 1,
        "consent_request": granted["data"]["consent_request"],
        "out_request_no": "r-1",
    }
    assert withdrawn["data"]["delete"]["what"] == ["subject", "answer"]
    for row in await outbox(town):
        assert consent.citizen.hex not in row["payload"].replace("-", "")
        assert str(consent.id) not in row["payload"]
        assert len(row["payload"]) < 1000


async def test_parties_of_one_recipient_are_told_but_not_whom_the_citizen_spoke_with(
    town: TestCity,
) -> None:
    await town.party(webhook_url="https://shop.example/hook")
    await town.party("second-shop", webhook_url="https://second.example/hook")
    await town.party("silent-shop")
    await town.party("stranger", entity="elsewhere", webhook_url="https://else.example/hook")
    await town.party("books", scenarios=(), webhook_url="https://books.example/hook")
    await consented(town)
    told = {row["name"]: msgspec.json.decode(row["payload"])["data"] for row in await outbox(town)}
    assert told.keys() == {"bike-shop", "second-shop"}
    assert "out_request_no" in told["bike-shop"]
    assert "out_request_no" not in told["second-shop"]
    assert told["bike-shop"]["subject"] == told["second-shop"]["subject"]


async def test_a_declined_request_names_no_citizen(town: TestCity) -> None:
    await town.party(webhook_url="https://shop.example/hook")
    await town.party("second-shop", webhook_url="https://second.example/hook")
    await town.city.consents.decline(await town.citizen(), await asked(town))
    (row,) = await outbox(town)
    assert row["name"] == "bike-shop"
    data = msgspec.json.decode(row["payload"])["data"]
    assert data.keys() == {"scenario", "consent_request", "out_request_no"}


# ------------------------------------------------------------------ what is sent


async def test_a_party_receives_a_signed_message_once(town: TestCity, sender: Sends) -> None:
    async with Receiver() as receiver:
        await town.party(webhook_url=receiver.url)
        await consented(town)
        assert await sender().step() == 1
        assert await sender().step() == 0
    (received,) = receiver.received
    assert received.path == "/hook"
    assert received.message["type"] == "consent.granted"
    received.verify(public_key(town))
    now_s = town.city.clock.now_us() // SECOND_US
    assert abs(int(received.headers["webhook-timestamp"]) - now_s) < 5
    (row,) = await outbox(town)
    assert row["delivered_at"] is not None
    assert row["payload"].encode() == received.payload


async def test_an_altered_message_does_not_verify(town: TestCity, sender: Sends) -> None:
    async with Receiver() as receiver:
        await town.party(webhook_url=receiver.url)
        await consented(town)
        await sender().step()
    (received,) = receiver.received
    altered = received.payload.replace(b"granted", b"revoked")
    with pytest.raises(InvalidSignature):
        msgspec.structs.replace(received, payload=altered).verify(public_key(town))


async def test_the_public_key_is_published_in_both_spellings(town: TestCity) -> None:
    answer = body(await Callers(town).stranger().get("/.well-known/webhook-keys.json"))
    (key,) = answer["keys"]
    raw = unb64url(key["x"])
    assert b64decode(key["whpk"].removeprefix("whpk_")) == raw
    assert (key["kty"], key["crv"], key["use"]) == ("OKP", "Ed25519", "sig")
    assert Ed25519PublicKey.from_public_bytes(raw) == public_key(town)


@pytest.mark.parametrize(
    "first", ["500 Oops", "400 No", "302 Found\r\nlocation: /elsewhere", "silence"]
)
async def test_a_failed_attempt_is_repeated_later_under_the_same_id(
    town: TestCity, sender: Sends, first: str
) -> None:
    async with Receiver(first, "200 OK") as receiver:
        await town.party(webhook_url=receiver.url)
        await consented(town)
        assert await sender(timeout_s=1.0).step() == 1
        assert await sender().step() == 0  # not before its time
        (row,) = await outbox(town)
        assert (row["attempts"], row["delivered_at"], row["given_up_at"]) == (1, None, None)
        await due_now(town)
        assert await sender().step() == 1
    first_try, second_try = receiver.received
    assert first_try.headers["webhook-id"] == second_try.headers["webhook-id"]
    assert second_try.path == "/hook"  # no redirect was followed
    (row,) = await outbox(town)
    assert row["delivered_at"] is not None


async def test_gone_is_taken_at_its_word_until_there_is_a_new_address(
    town: TestCity, sender: Sends
) -> None:
    async with Receiver("410 Gone", "200 OK") as receiver, Receiver() as moved:
        await town.party(webhook_url=receiver.url)
        await consented(town, number="r-1")
        await consented(town, number="r-2")
        await town.owner.execute(
            "UPDATE webhook_message SET next_at = 'infinity' WHERE id ="
            " (SELECT max(id) FROM webhook_message)"
        )
        await sender().step()
        await due_now(town)  # what was waiting is given up as well
        await sender().step()
        await consented(town, number="r-3")  # and nothing more is written
        rows = await outbox(town)
        assert [row["given_up_at"] is not None for row in rows] == [True, True]
        assert len(receiver.received) == 1
        await town.owner.execute("UPDATE party SET webhook_url = $1", moved.url)
        await consented(town, number="r-4")
        assert await sender().step() == 1
    assert len(moved.received) == 1


async def test_a_private_address_is_not_called_without_permission(
    town: TestCity, sender: Sends
) -> None:
    async with Receiver() as receiver:
        await town.party(webhook_url=receiver.url)
        await consented(town)
        assert await sender(loopback=False).step() == 1
    assert receiver.received == []
    (row,) = await outbox(town)
    assert (row["last_error"], row["given_up_at"]) == ("address refused", None)


async def test_patience_is_given_where_it_is_asked_for(town: TestCity, sender: Sends) -> None:
    async with Receiver("429 Slowly\r\nretry-after: 900") as receiver:
        await town.party(webhook_url=receiver.url)
        await consented(town)
        await sender().step()
    wait = await town.owner.fetchval(
        "SELECT extract(epoch FROM next_at - clock_timestamp())::float FROM webhook_message"
    )
    assert 880 < wait < 1000


async def test_after_the_last_attempt_a_message_is_given_up(town: TestCity, sender: Sends) -> None:
    async with Receiver("500 Oops") as receiver:
        await town.party(webhook_url=receiver.url)
        await consented(town)
        for _ in range(len(DELAYS_S) + 2):
            await due_now(town)
            await sender().step()
    assert len(receiver.received) == len(DELAYS_S)
    (row,) = await outbox(town)
    assert row["given_up_at"] is not None


async def test_a_party_that_does_not_answer_holds_up_nobody_else(
    town: TestCity, sender: Sends
) -> None:
    async with Receiver("silence") as silent, Receiver() as prompt:
        await town.party(webhook_url=silent.url)
        for number in range(PARTY_BATCH + 3):
            await consented(town, await town.citizen(), f"r-{number}")
        await town.party("second-shop", webhook_url=prompt.url)
        await consented(town, await town.citizen(), "r-last")  # behind all the others
        await sender(timeout_s=0.3).step()
    assert len(silent.received) == PARTY_BATCH
    assert len(prompt.received) == 1


async def test_several_senders_share_the_work(town: TestCity, sender: Sends) -> None:
    async with Receiver() as receiver:
        await town.party(webhook_url=receiver.url)
        citizen = await town.citizen()
        for number in range(6):
            await consented(town, citizen, f"r-{number}")
        tried = await asyncio.gather(*(sender().step() for _ in range(4)))
        tried.append(await sender().step())
    assert sum(tried) == 6
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 6


async def test_a_closed_party_is_told_nothing(town: TestCity, sender: Sends) -> None:
    async with Receiver() as receiver:
        await town.party(webhook_url=receiver.url)
        await consented(town)
        await town.owner.execute("UPDATE party SET status = 'closed'")
        await sender().step()
    assert receiver.received == []


# ------------------------------------------------------------------ pure


@given(attempts=st.integers(1, 12), asked=st.integers(0, 10**9), jitter=st.floats(0, 1, width=32))
def test_waits_keep_to_the_schedule_or_to_the_partys_word(
    attempts: int, asked: int, jitter: float
) -> None:
    wait = next_wait_s(attempts, asked, jitter)
    if attempts >= len(DELAYS_S):
        assert wait is None
    else:
        assert wait is not None
        least = max(DELAYS_S[attempts], min(asked, PATIENCE_S))
        assert least <= wait <= least * 1.1 + 1e-6


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        ("120", 120),
        ("Thu, 01 Jan 1970 00:10:00 GMT", 540),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("", 0),
        ("-5", 0),
        ("soon", 0),
        ("９", 0),
        (f"Thu, {'9' * 30} Jan 1970 00:10:00 GMT", 0),
    ],
)
def test_retry_after_is_read_in_both_forms(field: str, seconds: int) -> None:
    assert retry_after_s(field, 60 * SECOND_US) == seconds

"""Whole citizens for the calls that are not decisions: signed in, with a device, with rows.

They are made in this process through the services that answer their requests, many in one change,
so that hundreds of them take seconds. What a call needs from the server beforehand (a link, a
text under a nonce, an answer on record) is made here as well and never counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

import msgspec

from gateway.city import City
from gateway.consent_requests import Asked
from gateway.local.seed_device import SeedDevice
from gateway.parties import Principal
from gateway.proposer import Question
from gateway.sessions import csrf_token
from gateway.tokens import SCOPE_PREFIX
from loadtest.party import Shop
from loadtest.serving import Progress

SCENARIO = "rent"

#: Citizens of one change.
BATCH = 250

#: Decisions asked at once while a history is made.
AT_ONCE = 64


class Visitor(msgspec.Struct, frozen=True):
    """A citizen who is signed in: the session's cookie, its CSRF token, the device that signs."""

    citizen: UUID
    cookie: str
    csrf: str
    device: SeedDevice


async def visitors(city: City, count: int, progress: Progress) -> list[Visitor]:
    """So many scored citizens with a device each, all of them signed in."""
    made: list[Visitor] = []
    for start in range(0, count, BATCH):
        progress(f"signing citizens in: {start} of {count}")
        people = [city.ids.random_uuid() for _ in range(min(BATCH, count - start))]
        devices = [SeedDevice() for _ in people]
        async with city.writer.change(*people) as connection:
            await connection.executemany(
                "INSERT INTO citizen (id, wrapped_key, synthetic) VALUES ($1, $2, true)",
                [(each, city.vault.new_key(each)) for each in people],
            )
            await city.authorisations.give_within(connection, dict.fromkeys(people, ()))
            for each, device in zip(people, devices, strict=True):
                await city.devices.register_within(connection, each, "示例设备", device.jwk)
        for each, device in zip(people, devices, strict=True):
            session = await city.sessions.begin(each)
            cookie = f"{city.sessions.cookie}={session}"
            made.append(Visitor(each, cookie, csrf_token(session), device))
    return made


async def links(city: City, shop: Shop, count: int) -> list[str]:
    """Tokens of so many open requests for consent, each of which anybody may grant once."""
    caller = principal(city, shop)
    purpose = city.registry[SCENARIO].manifest.purposes[0]
    tokens = []
    for _ in range(count):
        asked = Asked(scenario=SCENARIO, purpose=purpose, out_request_no=city.ids.token())
        request = await city.consent_requests.ask(caller, asked)
        tokens.append(city.consent_requests.token(request.id))
    return tokens


async def signatures(city: City, people: Sequence[Visitor]) -> list[str]:
    """A signed commitment of each, over a text shown to them just now."""
    drafts = [await city.commitments.draft(each.citizen, SCENARIO, None) for each in people]
    return [each.device.sign(draft) for each, draft in zip(people, drafts, strict=True)]


async def histories(city: City, shop: Shop, people: Sequence[Visitor], each: int) -> None:
    """So many answers on record about each of these citizens."""
    questions = [_question(city, shop, visitor.citizen) for visitor in people for _ in range(each)]
    for start in range(0, len(questions), AT_ONCE):
        batch = questions[start : start + AT_ONCE]
        await asyncio.gather(*(city.decisions.decide(question) for question in batch))


def principal(city: City, shop: Shop) -> Principal:
    """The shop as its token would prove it."""
    party, now_us = city.parties.get(shop.id), city.clock.now_us()
    assert party is not None, "registered before anybody asks"
    scopes = frozenset({SCOPE_PREFIX + SCENARIO})
    return Principal(party, shop.kid, now_us, now_us + 300_000_000, scopes)


def _question(city: City, shop: Shop, citizen: UUID) -> Question:
    caller, scenario = principal(city, shop), city.registry[SCENARIO]
    now_us = city.clock.now_us()
    example = msgspec.json.encode(scenario.manifest.example_at(now_us))
    facts = msgspec.json.decode(example, type=scenario.facts_type)
    return Question(
        principal=caller,
        registration=caller.party.registrations[SCENARIO],
        scenario=scenario,
        citizen=citizen,
        facts=facts,
        facts_json=msgspec.json.encode(facts),
        received_us=now_us,
        deadline=city.clock.monotonic() + 5,
    )

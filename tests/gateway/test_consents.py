"""Consents against a model, on the real database: random acts of two citizens and two recipients.

The model knows a dozen lines; the gateway has locks, versions, a cache and a commit. After every
act both must agree on what each recipient is answered, on the history, and on what was told.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from gateway import misses
from gateway.clock import HOUR_US
from gateway.consent_requests import Asked
from gateway.consents import Terms
from gateway.errors import Conflict, GatewayError, NotFound, StillRunning, TooManyRequests
from gateway.store.consent import Consent
from scenarios.contract import Outcome
from tests.gateway.city import TestCity

RUNS, STEPS = 12, 14
PARTIES = {"bike-shop": "rent-a-bike", "rival": "rival-house"}


class Requested(msgspec.Struct):
    """A request as the model knows it."""

    party: str
    status: str = "pending"
    citizen: UUID | None = None


class Given(msgspec.Struct):
    """A consent as the model knows it."""

    id: UUID
    status: str
    version: int = 1
    frequency: int | None = None


class Model:
    """What should be true, said simply."""

    def __init__(self, town: TestCity, people: list[UUID], dice: random.Random) -> None:
        self.town, self.people, self.dice = town, people, dice
        self.requests: dict[UUID, Requested] = {}
        self.given: dict[tuple[UUID, str], Given] = {}
        self.told: list[tuple[str, str]] = []
        self.text = town.city.registry["rent"].manifest.consent.text_sha256.hex()

    async def step(self) -> None:
        acts = [self.ask, self.grant, self.grant, self.decline, self.change, self.change]
        await self.dice.choice(acts)()

    async def ask(self) -> None:
        party = self.dice.choice(list(PARTIES))
        number = f"r-{len(self.requests)}-{self.dice.random()}"
        asked = Asked(scenario="rent", purpose="deposit_free_rental", out_request_no=number)
        principal = self.town.principal(party)
        held = await self.town.city.consent_requests.ask(principal, asked)
        self.requests[held.id] = Requested(party)

    async def grant(self) -> None:
        if not self.requests:
            return await self.ask()
        citizen, request = self.dice.choice(self.people), self.dice.choice(list(self.requests))
        wanted = self.requests[request]
        terms = Terms(text_sha256=self.text, frequency=self.dice.choice([None, 1000]))
        try:
            consent = await self.town.city.consents.grant(citizen, request, terms)
        except NotFound:
            assert wanted.citizen not in (None, citizen)
        except Conflict:
            assert wanted.status == "declined"
        else:
            self._granted(citizen, wanted, consent, terms.frequency)
        return None

    def _granted(
        self, citizen: UUID, wanted: Requested, consent: Consent, frequency: int | None
    ) -> None:
        place = citizen, wanted.party
        before = self.given.get(place)
        if wanted.status == "granted":  # a repeat: nothing may have happened
            assert before is not None
            assert (consent.version, consent.id) == (before.version, before.id)
            return
        assert wanted.status == "pending"
        wanted.status, wanted.citizen = "granted", citizen
        version = before.version + 1 if before else 1
        assert consent.version == version
        assert before is None or consent.id == before.id
        self.given[place] = Given(consent.id, "active", version, frequency)
        self.told.append((wanted.party, "consent.granted"))

    async def decline(self) -> None:
        if not self.requests:
            return
        citizen, request = self.dice.choice(self.people), self.dice.choice(list(self.requests))
        wanted = self.requests[request]
        try:
            await self.town.city.consents.decline(citizen, request)
        except NotFound:
            assert wanted.citizen not in (None, citizen)
        except Conflict:
            assert (wanted.status, wanted.citizen) == ("granted", citizen)
        else:
            if wanted.status == "pending":
                self.told.append((wanted.party, "consent.declined"))
            wanted.status, wanted.citizen = "declined", citizen

    async def change(self) -> None:
        if not self.given:
            return
        place = self.dice.choice(list(self.given))
        held, (owner, party) = self.given[place], place
        citizen = self.dice.choice(self.people)
        act, status = self.dice.choice(
            [("pause", "paused"), ("resume", "active"), ("withdraw", "withdrawn")]
        )
        try:
            consent = await getattr(self.town.city.consents, act)(citizen, held.id)
        except NotFound:
            assert citizen != owner
            return
        except Conflict:
            assert held.status == "withdrawn"
            return
        assert citizen == owner
        if held.status != status:
            held.status, held.version = status, held.version + 1
            self.told.append((party, f"consent.{_PAST[act]}"))
        assert consent.version == held.version

    async def agree(self) -> None:
        """Does the city answer and remember as the model says?"""
        for citizen in self.people:
            for party in PARTIES:
                held = self.given.get((citizen, party))
                live = held is not None and held.status == "active"
                answer = await self.town.ask(citizen, self.town.principal(party))
                expected = Outcome.ELIGIBLE if live else Outcome.STANDARD_PATH
                assert answer.outcome is expected, (party, held)
        rows = await self.town.owner.fetch(
            "SELECT p.id, m.type FROM webhook_message AS m JOIN party AS p ON p.num = m.party"
        )
        assert sorted((row["id"], row["type"]) for row in rows) == sorted(self.told)


_PAST = {"pause": "paused", "resume": "resumed", "withdraw": "withdrawn"}


async def history(town: TestCity) -> list[Any]:
    return await town.owner.fetch("SELECT * FROM consent ORDER BY at, id, version")


@pytest.fixture
async def shops(town: TestCity) -> TestCity:
    for name, entity in PARTIES.items():
        await town.party(name, entity=entity, webhook_url=f"https://{name}.example/hook")
    return town


async def test_random_acts_leave_what_a_simple_model_says(shops: TestCity) -> None:
    dice = random.Random(random.random())  # pytest-randomly seeds it: repeatable
    for _ in range(RUNS):
        people = [await shops.citizen(), await shops.citizen()]
        for citizen in people:
            await shops.commitment(citizen)
        await shops.owner.execute("DELETE FROM webhook_message")
        model = Model(shops, people, dice)
        for _ in range(STEPS):
            before = await history(shops)
            await model.step()
            # Whatever happened, nothing that was written is written anew.
            assert (await history(shops))[: len(before)] == before
        await model.agree()


async def test_acts_at_once_leave_one_unbroken_history(shops: TestCity) -> None:
    citizen = await shops.citizen()
    consent = await shops.consent(citizen)
    acts = shops.city.consents
    later = shops.city.clock.now_us() + HOUR_US
    outcomes = await asyncio.gather(
        acts.pause(citizen, consent),
        acts.resume(citizen, consent),
        acts.withdraw(citizen, consent),
        acts.pause(citizen, consent, later),
        acts.withdraw(citizen, consent),
        return_exceptions=True,
    )
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            assert isinstance(outcome, Conflict), outcome
    rows = await history(shops)
    assert [row["version"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[-1]["status"] == "withdrawn"
    assert [row["status"] for row in rows].count("withdrawn") == 1


async def test_a_change_that_must_wait_too_long_is_told_so(shops: TestCity) -> None:
    citizen = await shops.citizen()
    consent = await shops.consent(citizen)
    async with shops.owner.transaction():
        await shops.owner.execute("SELECT FROM standing FOR UPDATE")
        with pytest.raises(StillRunning):
            await shops.city.consents.withdraw(citizen, consent)
    assert (await shops.city.consents.withdraw(citizen, consent)).status == "withdrawn"


async def test_a_withdrawal_that_could_not_be_committed_is_not_acknowledged(
    shops: TestCity,
) -> None:
    """The message to the party is part of the change: if one fails, neither happened."""
    citizen = await shops.citizen()
    consent = await shops.consent(citizen)
    await shops.owner.execute("REVOKE INSERT ON webhook_message FROM qianjiang_gateway")
    try:
        with pytest.raises((asyncpg.PostgresError, GatewayError)):
            await shops.city.consents.withdraw(citizen, consent)
    finally:
        await shops.owner.execute("GRANT INSERT ON webhook_message TO qianjiang_gateway")
    assert len(await history(shops)) == 1


async def test_the_gateways_role_can_neither_change_nor_forget_a_consent(
    connection: asyncpg.Connection[asyncpg.Record],
) -> None:
    for statement in (
        "UPDATE consent SET status = 'active'",
        "DELETE FROM consent",
        "DELETE FROM consent_request",
        "UPDATE consent_request SET recipient = 'x'",
        "UPDATE webhook_message SET payload = '{}'",
        "INSERT INTO party (id) VALUES ('x')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


async def test_changes_are_bounded_and_withdrawing_never_is(shops: TestCity) -> None:
    consents = shops.city.consents
    citizen = await shops.citizen()
    held = await shops.consent(citizen, recipient="rent-a-bike")
    allowed = misses.OF_CHANGES.burst
    for frequency in range(1, allowed + 1):
        await consents.limit(citizen, held, frequency)
    with pytest.raises(TooManyRequests):
        await consents.limit(citizen, held, allowed + 1)
    assert len(await consents.history(citizen, held)) == 1 + allowed
    assert (await consents.withdraw(citizen, held)).status == "withdrawn"

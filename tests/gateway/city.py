"""A small city for tests: real engines, throw-away keys, parties and people made to order.

`TestCity` opens a `City` exactly as a worker does and arranges what a test needs: parties through
the owner's rows, citizens through the same `StandingWriter` that the API uses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from gateway.city import City
from gateway.clock import Clock, SystemClock, from_us
from gateway.decision import Answer
from gateway.errors import GatewayError
from gateway.ids import SystemIds
from gateway.keys import load_keys, write_keys
from gateway.parties import Principal
from gateway.proposer import Question
from gateway.settings import Settings
from gateway.store import policy as policy_rows
from gateway.working_days import calendar
from scenarios.registry import Registry, load_registry
from scoring import Explanation, Line, Words

HOUR_US = 3_600_000_000
ENTITY = "rent-a-bike"
MERCHANT = "bike-shop"

_registry: Registry | None = None


def registry() -> Registry:
    """The packaged scenarios, compiled once for a test run."""
    global _registry  # compiling takes longer than most tests
    if _registry is None:
        _registry = load_registry(calendar())
    return _registry


class TestCity:
    """A running city and the means to people it."""

    __test__ = False

    def __init__(self, city: City, owner: asyncpg.Connection[asyncpg.Record]) -> None:
        self.city = city
        self.owner = owner

    async def party(
        self,
        name: str = MERCHANT,
        *,
        scenarios: Sequence[str] = ("rent",),
        kind: str = "merchant",
        entity: str = ENTITY,
        recipient: str | None = None,
        city: str | None = None,
        community: str | None = None,
        webhook_url: str | None = None,
    ) -> Principal:
        """Register a party and return it as an authenticated caller."""
        for legal in {entity, recipient or entity}:
            await self.owner.execute(
                "INSERT INTO legal_entity (id, name, contact) VALUES ($1, $1, 'desk')"
                " ON CONFLICT DO NOTHING",
                legal,
            )
        number = await self.owner.fetchval(
            "INSERT INTO party (id, entity, kind, name, city, community, webhook_url)"
            " VALUES ($1, $2, $3, $1, $4, $5, $6) RETURNING num",
            *(name, entity, kind, city, community, webhook_url),
        )
        await self.owner.execute(
            "INSERT INTO party_key (party, kid, jwk) VALUES ($1, 'k1', '{}')", number
        )
        for scenario in scenarios:
            await self.owner.execute(
                "INSERT INTO party_scenario VALUES ($1, $2, $3)",
                *(number, scenario, recipient or entity),
            )
        await self.city.parties.refresh(force=True)
        return self.principal(name)

    def principal(self, name: str = MERCHANT) -> Principal:
        """A party as its token would prove it, issued now."""
        party = self.city.parties.get(name)
        assert party is not None
        now = self.city.clock.now_us()
        scopes = frozenset(f"scenario:{scenario}" for scenario in party.registrations)
        return Principal(party, "k1", now, now + 300_000_000, scopes)

    async def citizen(self, *, band: int = 4) -> UUID:
        """A citizen with a key and a published band (0 = no score)."""
        citizen = self.city.ids.random_uuid()
        await self.citizens([citizen], band=band)
        return citizen

    async def citizens(self, citizens: Sequence[UUID], *, band: int = 4) -> None:
        """So many citizens in one transaction."""
        keys = {citizen: self.city.vault.new_key(citizen) for citizen in citizens}
        async with self.city.writer.change(*citizens) as connection:
            await connection.executemany(
                "INSERT INTO citizen (id, wrapped_key, synthetic) VALUES ($1, $2, true)",
                list(keys.items()),
            )
            await connection.executemany(
                "INSERT INTO score_authorisation (citizen, version, status, notice, text_sha256)"
                " VALUES ($1, 1, 'given', '1', sha256('notice'))",
                [(citizen,) for citizen in citizens],
            )
            # Only publishing may write scores, and publishing is the owner's.
            if band:
                await self.owner.executemany(
                    "INSERT INTO score VALUES ($1, 1, 600, $2, $3)",
                    [(each, band, self._explained(each, keys[each])) for each in citizens],
                )

    def _explained(self, citizen: UUID, wrapped_key: bytes) -> bytes:
        """A score's explanation, sealed as the gateway seals it, so that its pages can show it."""
        seal = self.city.vault.person(wrapped_key, citizen)
        told = Explanation(600, (Line(600, Words("示例", "example")),), (), ())
        return seal.seal(msgspec.json.encode(told), b"score/factors/" + citizen.bytes)

    async def consent(
        self,
        citizen: UUID,
        *,
        recipient: str = ENTITY,
        scenario: str = "rent",
        status: str = "active",
        consent: UUID | None = None,
        version: int = 1,
        from_us: int | None = None,
        to_us: int | None = None,
        frequency: int | None = None,
        paused_until_us: int | None = None,
    ) -> UUID:
        """Write one version of a consent, as its service would."""
        identifier = consent or self.city.ids.random_uuid()
        now = self.city.clock.now_us()
        async with self.city.writer.change(citizen) as connection:
            await connection.execute(
                "INSERT INTO consent (id, version, citizen, recipient, scenario, purpose, fields,"
                " text_version, text_sha256, from_at, to_at, frequency, status, paused_until)"
                " VALUES ($1, $2, $3, $4, $5, 'deposit', '{eligibility}', '1', sha256('text'),"
                " $6, $7, $8, $9, $10)",
                identifier,
                version,
                citizen,
                recipient,
                scenario,
                _moment(from_us if from_us is not None else now - HOUR_US),
                _moment(to_us if to_us is not None else now + 24 * HOUR_US),
                frequency,
                status,
                _moment(paused_until_us) if paused_until_us is not None else None,
            )
        return identifier

    async def commitment(self, citizen: UUID, *, scenario: str = "rent") -> None:
        """Write a signed commitment towards the city."""
        async with self.city.writer.change(citizen) as connection:
            await connection.execute(
                "INSERT INTO commitment (id, version, citizen, scenario, template,"
                " template_version, text_sha256, device, jws, status, signed_at)"
                " VALUES ($1, 1, $2, $3, 't', '1', sha256('text'), $1, '', 'signed',"
                " clock_timestamp() - interval '1 minute')",
                *(self.city.ids.random_uuid(), citizen, scenario),
            )

    async def ready(self, *, band: int = 4, scenario: str = "rent") -> UUID:
        """A citizen to whom the scenario is open: scored, consenting, committed."""
        citizen = await self.citizen(band=band)
        await self.consent(citizen, scenario=scenario)
        await self.commitment(citizen, scenario=scenario)
        return citizen

    def question(
        self,
        citizen: UUID,
        principal: Principal | None = None,
        *,
        scenario: str = "rent",
        facts: dict[str, Any] | None = None,
        **given: Any,
    ) -> Question:
        """A question with the scenario's example facts, or others."""
        caller = principal or self.principal()
        compiled = self.city.registry[scenario]
        example = facts or compiled.manifest.example_at(self.city.clock.now_us())
        raw = msgspec.json.encode(example)
        return Question(
            principal=caller,
            registration=caller.party.registrations[scenario],
            scenario=compiled,
            citizen=citizen,
            facts=(typed := msgspec.json.decode(raw, type=compiled.facts_type)),
            facts_json=msgspec.json.encode(typed),
            received_us=self.city.clock.now_us(),
            deadline=self.city.clock.monotonic() + 5,
            **given,
        )

    async def ask(self, citizen: UUID, principal: Principal | None = None, **given: Any) -> Answer:
        """Decide a question."""
        return await self.city.decisions.decide(self.question(citizen, principal, **given))


@asynccontextmanager
async def open_test_city(
    gateway_url: str,
    owner: asyncpg.Connection[asyncpg.Record],
    valkey_url: str,
    folder: Path,
    *,
    clock: Clock | None = None,
    **settings: Any,
) -> AsyncIterator[TestCity]:
    """A city on these engines; a second one in the same folder shares the keys, as workers do."""
    keys = folder / "keys.json"
    ids = SystemIds()
    if not keys.exists():
        write_keys(keys, ids)
    given: dict[str, Any] = {
        "issuer": "http://127.0.0.1:8700",
        "city": "330100",
        "database_url": gateway_url,
        "valkey_url": valkey_url,
        "keys_file": keys,
        "oidc_issuer": "http://127.0.0.2:8701",
        "oidc_synthetic": True,
        "allow_loopback_http": True,
        "metrics_port": 0,
    }
    city = City(
        Settings(**(given | settings)), load_keys(keys), registry(), clock or SystemClock(), ids
    )
    await owner.execute("INSERT INTO realm (city) VALUES ('330100') ON CONFLICT DO NOTHING")
    for name in city.registry:
        await policy_rows.publish(owner, name, city.registry[name].revision, "{}")
    async with city.running():
        if not city.policies.numbers:
            # Its first look was cut off, as on a busy machine; a service looks again in a second.
            with suppress(GatewayError):
                await city.refresh()
        yield TestCity(city, owner)


def _moment(moment_us: int) -> Any:
    return from_us(moment_us)

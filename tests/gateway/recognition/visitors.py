"""Visitors arranged by rows: another city's citizens as their arrival would leave them here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from gateway.recognition.schemes import publish
from scenarios.schemes import Scheme
from tests.gateway.city import ENTITY, TestCity

SEEDS = Path(__file__).parents[3] / "seeds" / "schemes"
FRESH_S, STALE_S = 40.0, -1.0


def raw(version: int = 1) -> bytes:
    """The text of an example scheme's version."""
    return (SEEDS / f"example-delta-{version}.toml").read_bytes()


class Visitors:
    """A city that lets visitors in."""

    def __init__(self, town: TestCity, scheme: Scheme) -> None:
        self.town, self.scheme = town, scheme

    @classmethod
    async def at(cls, town: TestCity) -> Visitors:
        """At this city, by the first version of the example scheme."""
        return cls(town, await publish(town.owner, raw()))

    async def issuer(self, code: str = "330200", *, fresh_s: float = FRESH_S) -> int:
        """A city whose word is fresh for so long from now on; returns its number."""
        return int(
            await self.town.owner.fetchval(
                "INSERT INTO issuer (code, fresh_until)"
                " VALUES ($1, clock_timestamp() + make_interval(secs => $2)) RETURNING num",
                *(code, fresh_s),
            )
        )

    async def heard(self, issuer: int, *, fresh_s: float) -> None:
        """The city's word is fresh for so long from now on; below zero it is stale."""
        await self.town.owner.execute(
            "UPDATE issuer SET fresh_until = clock_timestamp() + make_interval(secs => $2)"
            " WHERE num = $1",
            *(issuer, fresh_s),
        )

    async def arrived(self, issuer: int) -> UUID:
        """A visitor without any visit yet."""
        city = self.town.city
        citizen = city.ids.random_uuid()
        async with city.writer.change(citizen) as connection:
            await connection.execute(
                "INSERT INTO citizen (id, wrapped_key, synthetic) VALUES ($1, $2, true)",
                *(citizen, city.vault.new_key(citizen)),
            )
            await connection.execute(
                "INSERT INTO visitor (citizen, issuer, subject) VALUES ($1, $2, $3)",
                *(citizen, issuer, citizen.hex),
            )
        return citizen

    async def visit(
        self,
        citizen: UUID,
        *,
        scenarios: Sequence[str] = ("library", "rent"),
        band: int = 4,
        limit_fen: int = 50_000,
        number: int | None = None,
    ) -> UUID:
        """A recognition accepted here: the visitor's newest, or the one of a number."""
        visit = self.town.city.ids.random_uuid()
        async with self.town.city.writer.change(citizen) as connection:
            await connection.execute(
                "INSERT INTO visit (id, citizen, issuer, jti, scheme, scheme_version, tier, band,"
                " scenarios, limit_fen, as_of, home_consent, policy, status_uri, status_idx,"
                " number) SELECT $1, $2, issuer, $3, $4, $5, 'T1', $6, $7, $8, '2026-11-01',"
                " $1, 'aa', 'https://home.example/status-lists/1', 7,"
                " coalesce($9, (SELECT count(*) + 1 FROM visit WHERE citizen = $2))"
                " FROM visitor WHERE citizen = $2",
                *(visit, citizen, visit.hex, self.scheme.id, self.scheme.version),
                *(band, list(scenarios), limit_fen, number),
            )
        return visit

    async def end(self, citizen: UUID, visit: UUID) -> None:
        """Its bit was turned at home."""
        async with self.town.city.writer.change(citizen) as connection:
            await connection.execute(
                "UPDATE visit SET ended_on = today(), reason = 'revoked' WHERE id = $1",
                visit,
            )

    async def ready(self, issuer: int, scenario: str = "rent", recipient: str = ENTITY) -> UUID:
        """A visitor to whom a scenario is open: recognised, consenting, committed."""
        citizen = await self.arrived(issuer)
        await self.visit(citizen)
        await self.allow(citizen, scenario, recipient)
        return citizen

    async def allow(self, citizen: UUID, scenario: str, recipient: str = ENTITY) -> None:
        """The visitor's own consent and promise here."""
        await self.town.consent(citizen, scenario=scenario, recipient=recipient)
        await self.town.commitment(citizen, scenario=scenario)

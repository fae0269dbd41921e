"""A citizen's score: computed from the facts on file, explained to the citizen alone.

The explanation is sealed under the person's own key, so it ends with that key. Scores are written
only where something changed; a score computed under one authorisation is never written under
another, which the database checks as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from uuid import UUID

import msgspec

from gateway.clock import SHANGHAI, Clock, from_us
from gateway.store import fact as fact_rows
from gateway.store import score as rows
from gateway.store.database import Connection
from gateway.store.score import Due, Fresh, Held
from gateway.vault import Seal, SealBroken, Vault
from scoring import (
    Catalogue,
    Explanation,
    Fact,
    Merit,
    Model,
    band_of,
    explain,
    load_catalogue,
    load_model,
)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Explanation).decode


class Scale(msgspec.Struct, frozen=True):
    """The published rules of one day."""

    as_of: date
    catalogue: Catalogue
    model: Model
    merits: dict[tuple[str, str], Merit | None]


@lru_cache(maxsize=4)
def scale_on(as_of: date) -> Scale:
    """The catalogue and the model in force on a day.

    Raises:
        NothingInForce: the first of them begins later.
    """
    catalogue = load_catalogue(as_of)
    merits = {key: entry.merit for key, entry in catalogue.entries.items()}
    return Scale(as_of, catalogue, load_model(as_of), merits)


def today(clock: Clock) -> date:
    """The calendar day in Hangzhou."""
    return from_us(clock.now_us()).astimezone(SHANGHAI).date()


class Scores:
    """Computes scores, and writes them inside a change of the standing.

    Args:
        vault: opens people's keys.
        clock: says which day it is before anything was ever published.
    """

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    async def publish_within(self, connection: Connection, citizens: Sequence[UUID]) -> None:
        """Bring the scores of citizens up to date inside `StandingWriter.change` of the same.

        For those who have just given or changed their authorisation: the score appears with the
        act itself. It is computed for the day of the newest publication, as that run would have
        done, because one day is said for all scores.
        """
        run, as_of = await rows.latest_run(connection) or (0, today(self._clock))
        due = await rows.due_of(connection, citizens)
        await rows.put(connection, run, await self.fresh(connection, due, scale_on(as_of)))

    async def fresh(self, connection: Connection, due: Sequence[Due], scale: Scale) -> list[Fresh]:
        """The scores that are not yet as they should be."""
        people = [one.identity_index for one in due if one.identity_index is not None]
        facts = await fact_rows.load(connection, people, scale.merits)
        computed = (
            self._compute(one, facts.get(one.identity_index or b"", []), scale) for one in due
        )
        return [one for one in computed if one is not None]

    def _compute(self, due: Due, facts: list[Fact], scale: Scale) -> Fresh | None:
        told = explain(facts, scale.model, scale.catalogue, scale.as_of, due.leave_out)
        plain, band = _encode(told), int(band_of(told.score))
        seal = self._vault.person(due.wrapped_key, due.citizen)
        held = due.held
        moves = held is None or held.band != band
        if held is not None and not moves and _says(held, due.citizen, seal, plain):
            return None
        return Fresh(
            due.citizen,
            due.authorisation,
            told.score,
            band,
            seal.seal(plain, _place(due.citizen)),
            moves,
        )


def explanation(held: Held, citizen: UUID, seal: Seal) -> Explanation:
    """The explanation of a score on file, for its citizen's eyes.

    Raises:
        SealBroken: it is another citizen's, or was altered.
    """
    return _decode(seal.open(held.factors, _place(citizen)))


def _says(held: Held, citizen: UUID, seal: Seal, plain: bytes) -> bool:
    """Whether what is held is this very explanation."""
    try:
        return seal.open(held.factors, _place(citizen)) == plain
    except SealBroken:
        return False  # moved or damaged: written anew


def _place(citizen: UUID) -> bytes:
    return b"score/factors/" + citizen.bytes

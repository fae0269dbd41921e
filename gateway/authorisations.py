"""Whether the city may compute a citizen's score and show it: asked first, taken back any time.

Each word of the citizen is a new version that names the very text it was given under (PIPL 14, 17).
Giving it brings the score in the same transaction; withdrawing takes the score out of every
decision at once, because the standing is rebuilt with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import TypeAlias
from uuid import UUID

import msgspec

from gateway.clock import Clock
from gateway.errors import Conflict, Forbidden, TextChanged
from gateway.idempotency import Act, once
from gateway.notice import Notice
from gateway.scores import Scores, explanation, today
from gateway.standing import StandingWriter
from gateway.store import citizen as rows
from gateway.store import score as score_rows
from gateway.store import visit as visit_rows
from gateway.store.citizen import AuthorisationRow
from gateway.store.database import Connection, Database
from gateway.vault import Vault
from scoring import Explanation

_Work: TypeAlias = Callable[[Connection], Awaitable[AuthorisationRow]]


class ShownScore(msgspec.Struct, frozen=True):
    """A score as its citizen sees it, and the day it is said for."""

    score: int
    band: int
    as_of: date
    explanation: Explanation


class Authorisations:
    """The score authorisations of the city's citizens, and the scores that they open.

    Args:
        scores: writes the score with the authorisation.
        vault: opens people's keys.
        notice: what must be read before.
    """

    def __init__(
        self,
        database: Database,
        writer: StandingWriter,
        scores: Scores,
        vault: Vault,
        clock: Clock,
        notice: Notice,
    ) -> None:
        self._database, self._writer, self._scores = database, writer, scores
        self._vault, self._clock = vault, clock
        self.notice = notice

    async def score(self, citizen: UUID) -> ShownScore | None:
        """The citizen's own score with its explanation; None without a standing authorisation."""
        async with self._database.connection() as connection:
            found = await score_rows.held(connection, citizen, today(self._clock))
            person = await rows.person(connection, citizen)
        if found is None or person is None:
            return None
        held, as_of = found
        told = explanation(held, citizen, self._vault.person(person.wrapped_key, citizen))
        return ShownScore(held.score, held.band, as_of, told)

    async def current(self, citizen: UUID) -> AuthorisationRow | None:
        """What the citizen said last."""
        async with self._database.connection() as connection:
            return await rows.authorisation(connection, citizen)

    async def give(
        self, citizen: UUID, text_sha256: bytes, leave_out: tuple[str, ...], act: Act | None
    ) -> AuthorisationRow:
        """Authorise, leaving out kinds of merit the citizen does not want counted (深圳 39).

        Raises:
            TextChanged: the hash is not that of the notice as it stands.
            Forbidden: this is a visitor from another city, who has no score here.
        """

        async def work(connection: Connection) -> AuthorisationRow:
            if text_sha256 != self.notice.sha256:
                raise TextChanged
            return await self._say(connection, citizen, "given", leave_out)

        return await self._change(citizen, act, work)

    async def give_within(
        self, connection: Connection, leave_out: Mapping[UUID, tuple[str, ...]]
    ) -> None:
        """First authorisations of many citizens, inside a change of their standings."""
        notice = self.notice
        said = {
            citizen: AuthorisationRow(1, "given", notice.version, notice.sha256, left, 0)
            for citizen, left in leave_out.items()
        }
        await rows.authorise_many(connection, said)
        await self._scores.publish_within(connection, list(said))

    async def give_aloud_within(
        self, connection: Connection, citizen: UUID, leave_out: tuple[str, ...]
    ) -> AuthorisationRow:
        """One citizen's word at a counter, inside a change of the standing.

        Whoever listens there does not see what was left out before, so that stays left out. What
        the citizen took back in a session of the own only such a session gives again: here it
        stays withdrawn, as a version that the desk cannot tell from one that was given.
        """
        held = await rows.authorisation(connection, citizen)
        left = tuple(sorted({*(held.leave_out if held else ()), *leave_out}))
        own = await rows.own_withdrawal(connection, citizen)
        return await self._say(connection, citizen, "withdrawn" if own else "given", left)

    async def withdraw(self, citizen: UUID, act: Act | None) -> AuthorisationRow:
        """Take it back.

        Raises:
            Conflict: it was not given.
            Forbidden: as `give`.
        """

        async def work(connection: Connection) -> AuthorisationRow:
            held = await rows.authorisation(connection, citizen)
            if held is None or held.status != "given":
                raise Conflict
            return await self._say(connection, citizen, "withdrawn", ())

        return await self._change(citizen, act, work)

    async def withdraw_aloud_within(
        self, connection: Connection, citizen: UUID
    ) -> AuthorisationRow:
        """Take back a word of a counter, inside a change of this citizen's standing.

        What was left out is remembered, for whoever says yes there again.
        """
        held = await rows.authorisation(connection, citizen)
        return await self._say(connection, citizen, "withdrawn", held.leave_out if held else ())

    async def withdraw_within(self, connection: Connection, citizen: UUID) -> None:
        """`withdraw` where it was given, inside a change of this citizen's standing."""
        held = await rows.authorisation(connection, citizen)
        if held is not None and held.status == "given":
            await self._say(connection, citizen, "withdrawn", ())

    async def _change(self, citizen: UUID, act: Act | None, work: _Work) -> AuthorisationRow:
        async with self._writer.change(citizen) as connection:
            if await visit_rows.home(connection, citizen) is not None:
                raise Forbidden("visitor")  # another city vouches for them; no score is made here
            return await once(connection, act, AuthorisationRow, lambda: work(connection))

    async def _say(
        self, connection: Connection, citizen: UUID, status: str, leave_out: tuple[str, ...]
    ) -> AuthorisationRow:
        held = await rows.authorisation(connection, citizen)
        version = 1 if held is None else held.version + 1
        said = AuthorisationRow(
            version, status, self.notice.version, self.notice.sha256, leave_out, 0
        )
        await rows.authorise(connection, citizen, said)
        if status == "given":
            await self._scores.publish_within(connection, [citizen])
        written = await rows.authorisation(connection, citizen)
        assert written is not None, "just written, in this transaction"
        return written

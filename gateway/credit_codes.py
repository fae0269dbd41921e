"""信用码: a citizen shows a code, and the party that it is shown to learns who stands there.

It learns the citizen's subject of its own recipient where a consent stands, and nothing otherwise:
the citizen is then asked in person. A code works once, for at most a minute or two, while the
session lasts in which it was made. The one behind a QR code is 192 random bits. The one that is
read aloud is eight digits; it works at the one desk that it was made for, and wrong ones are
counted (gateway/misses.py). PostgreSQL decides who was first; it holds keyed hashes only.
"""

from __future__ import annotations

import hmac
from functools import partial
from typing import Final
from uuid import UUID

import msgspec

from gateway.clock import Clock
from gateway.consent_requests import Asked, ConsentRequests
from gateway.consent_rules import state
from gateway.errors import Malformed, NotFound, Unauthenticated
from gateway.idempotency import Act, once
from gateway.ids import Ids
from gateway.misses import AT_DESK, OF_PARTY, trying
from gateway.parties import Principal
from gateway.pseudonyms import Pseudonyms
from gateway.store import consent as consent_rows
from gateway.store import credit_code as rows
from gateway.store import desk as desk_rows
from gateway.store import session as session_rows
from gateway.store.consent import RequestState
from gateway.store.credit_code import Scan
from gateway.store.database import Connection, Database
from scenarios.registry import Registry

#: How long a code works, in seconds: one that is scanned, and one that is read aloud and typed.
QR_LIFE_S: Final = 60
TYPED_LIFE_S: Final = 120

#: When to show the next one, in seconds: whoever has just begun to scan or to type one can finish.
QR_RENEWAL_S: Final = 40
TYPED_RENEWAL_S: Final = 60

#: Codes of one citizen that work at a time; a further one ends the oldest.
LIVING_MAX: Final = 3

QR_CHARS: Final = 32
TYPED_DIGITS: Final = 8

_LABEL = b"credit-code/"


class Shown(msgspec.Struct, frozen=True):
    """A code to show, its end in microseconds (UTC), and the desk it is bound to, if it is.

    It lives for `lives_s` seconds; after `renewal_s` the next one should be shown.
    """

    code: str
    expires_us: int
    desk: str | None
    lives_s: int
    renewal_s: int


class Redeemed(msgspec.Struct, frozen=True):
    """What a party learns from a code: the citizen's subject, or the request it must wait for.

    `used_us` is when the code was used (UTC), for repeats too.
    """

    subject: str = ""
    request: RequestState | None = None
    used_us: int = 0


class _Outcome(msgspec.Struct, frozen=True):
    """What is kept of a redemption for its repeats: it names no subject."""

    citizen: UUID | None = None
    request: UUID | None = None
    used_us: int = 0


class CreditCodes:
    """The codes of one city; one instance per worker."""

    def __init__(
        self,
        *,
        link_key: bytes,
        database: Database,
        registry: Registry,
        requests: ConsentRequests,
        pseudonyms: Pseudonyms,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._key, self._database, self._registry = link_key, database, registry
        self._requests, self._pseudonyms = requests, pseudonyms
        self._clock, self._ids = clock, ids

    async def show(self, citizen: UUID, session: bytes, desk: str | None = None) -> Shown:
        """A new code of a citizen, made in the session of this hash (`Sessions.key`).

        With a desk's number it has eight digits and works there only; see `Desks.find`.

        Raises:
            Unauthenticated: the session has just ended.
        """
        typed = desk is not None
        life_s = TYPED_LIFE_S if typed else QR_LIFE_S
        async with self._database.transaction() as connection:
            if session not in await session_rows.hold(connection, citizen):
                raise Unauthenticated("session-over")
            await rows.end_older(connection, citizen, LIVING_MAX - 1)
            expires_us = None
            while expires_us is None:  # eight digits may be somebody else's at this desk just now
                code = self._digits() if typed else self._ids.token()
                expires_us = await rows.add(
                    connection, self._hash(code, desk), citizen, session, desk=desk, life_s=life_s
                )
        renewal_s = TYPED_RENEWAL_S if typed else QR_RENEWAL_S
        return Shown(code, expires_us, desk, life_s, renewal_s)

    async def scans(self, citizen: UUID, session: bytes) -> list[Scan]:
        """Who scanned a code of this session within ten minutes, newest first."""
        async with self._database.connection() as connection:
            return await rows.scans(connection, citizen, session)

    async def redeem(
        self,
        principal: Principal,
        code: str,
        scenario: str,
        purpose: str | None = None,
        desk: str | None = None,
        act: Act | None = None,
    ) -> Redeemed:
        """Use a code, once, for a party that wants to ask about a scenario.

        `desk` is where: one of the party's own. A code of eight digits needs it.

        Raises:
            NotFound: there is no such scenario; or the code is unknown, used, over, ended with its
                session or made for another desk, or the desk is not the party's: all the same.
            Forbidden: the scenario is not one of the token's or of the party's.
            Malformed: the purpose is not one of the scenario's, or a typed code came without desk.
            TooManyRequests: too many typed codes of this desk or party were wrong.
            IdempotencyMismatch, StillRunning: as `once`.
        """
        if scenario not in self._registry:
            raise NotFound
        asked = Asked(
            scenario=scenario,
            purpose=purpose or self._registry[scenario].manifest.purposes[0],
            out_request_no=f"code-{self._ids.token()}",
        )
        self._requests.permitted(principal, scenario, asked.purpose)
        if is_typed(code) and desk is None:
            raise Malformed([("/desk", "a code of eight digits works at its desk only")])
        async with self._database.transaction() as connection:
            work = partial(self._redeem, connection, principal, code, asked, desk)
            outcome = await once(connection, act, _Outcome, work)
        # Raised out here: in there it would take back what was counted.
        return await self._told(principal, scenario, outcome)

    async def _redeem(
        self,
        connection: Connection,
        principal: Principal,
        code: str,
        asked: Asked,
        desk: str | None,
    ) -> _Outcome:
        citizen = await self._use(connection, principal.party.row.num, code, desk)
        if citizen is None:
            return _Outcome()
        used_us = self._clock.now_us()
        recipient = principal.party.registrations[asked.scenario].recipient.entity
        held = await consent_rows.newest(connection, citizen, recipient, asked.scenario)
        # A pause is the citizen's own word and stays: the party knows the subject already.
        if held is not None and state(held) in ("active", "paused"):
            return _Outcome(citizen=citizen, used_us=used_us)
        words = principal.party.row.num, citizen, asked.scenario, asked.purpose, desk
        request = await consent_rows.open_in_person(connection, *words)
        if request is None:
            request = await self._requests.ask_within(
                connection, principal, asked, citizen=citizen, desk=desk
            )
        return _Outcome(request=request.id, used_us=used_us)

    async def _use(
        self, connection: Connection, party: int, code: str, desk: str | None
    ) -> UUID | None:
        """The citizen of a code that works for this party and desk; wrong typed ones count."""
        if not is_typed(code):
            if desk is not None and not await desk_rows.is_of_party(connection, desk, party):
                return None
            return await rows.use(connection, self._hash(code, None), party)
        # Under the party's own name: a stranger's wrong tries must not close anybody's desk.
        names = {f"desk/{party}/{desk}": AT_DESK, f"party/{party}": OF_PARTY}
        tries = await trying(connection, names)
        found = None
        if await desk_rows.is_of_party(connection, desk or "", party):
            found = await rows.use(connection, self._hash(code, desk), party)
        if found is None:
            await tries.missed(connection)
        return found

    async def _told(self, principal: Principal, scenario: str, outcome: _Outcome) -> Redeemed:
        if outcome.citizen is not None:
            sector = principal.party.registrations[scenario].recipient.sector
            subject = self._pseudonyms.subject(outcome.citizen, sector)
            return Redeemed(subject, used_us=outcome.used_us)
        if outcome.request is None:
            raise NotFound
        held, _ = await self._requests.of_party(principal, outcome.request)
        return Redeemed(request=held, used_us=outcome.used_us)

    def _digits(self) -> str:
        drawn = int.from_bytes(self._ids.random_bytes(16), "big")
        return f"{drawn % 10**TYPED_DIGITS:0{TYPED_DIGITS}}"

    def _hash(self, code: str, desk: str | None) -> bytes:
        """Keyed, since eight digits would be found from a plain hash; the desk is part of it."""
        return hmac.digest(self._key, _LABEL + f"{desk or ''}/{code}".encode(), "sha256")


def is_typed(code: str) -> bool:
    """Whether a code is one that is read aloud and typed, by its shape."""
    return len(code) == TYPED_DIGITS and code.isascii() and code.isdigit()

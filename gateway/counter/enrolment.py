"""An account is taken up: a link is opened, a password chosen, a second factor set up and tried.

Until the first code is right nothing is kept: what was chosen travels in a sealed ticket, so a link
whose opener gives up in between is as good as before.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from gateway import qr
from gateway.counter.attempts import Attempts
from gateway.counter.passwords import Passwords, check_choice
from gateway.counter.sessions import CounterSessions
from gateway.counter.sign_in import SignedIn, SignIn
from gateway.counter.tickets import Tickets
from gateway.counter.totp import OneTime
from gateway.errors import NotFound, SignInRefused
from gateway.sessions import hash_of
from gateway.store import counter_staff as rows
from gateway.store.counter_staff import InvitedRow
from gateway.store.database import Database

#: How long setting up the second factor may take, in seconds.
CONFIRM_LIFE_S: Final = 900

_TOKEN_CHARS: Final = 32


class Chosen(msgspec.Struct, frozen=True):
    """A ticket: what the opener of a link chose, not yet in force."""

    staff: UUID
    login: str
    link: bytes
    password: str
    secret: str

    def __repr__(self) -> str:
        return "Chosen(…)"  # a traceback or a log shows the representation


class Offered(msgspec.Struct, frozen=True):
    """A second factor to set up, and the ticket that confirming it needs."""

    ticket: str
    secret: str
    qr: str
    """The secret's address as a QR code: an SVG document."""

    def __repr__(self) -> str:
        return "Offered(…)"


class Enrolments:
    """Taking up accounts at one worker."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        one_time: OneTime,
        sessions: CounterSessions,
        tickets: Tickets,
        sign_in: SignIn,
        attempts: Attempts,
    ) -> None:
        self._database, self._passwords, self._one_time = database, passwords, one_time
        self._sessions, self._tickets, self._sign_in = sessions, tickets, sign_in
        self._attempts = attempts

    async def invited(self, token: str) -> InvitedRow:
        """Whom a link is for.

        Raises:
            NotFound: it was used, is over, or never was.
            TooManyRequests: it is opened too often.
        """
        found = None
        if len(token) == _TOKEN_CHARS:
            async with self._database.connection() as connection:
                found = await rows.invited(connection, hash_of(token))
        if found is None:
            raise NotFound
        # Counted when it is known to exist: nobody finds 192 random bits by trying.
        self._attempts.link(hash_of(token))
        return found

    async def choose(self, token: str, password: str) -> Offered:
        """Choose a password; a fresh second factor comes back.

        Raises:
            NotFound: the link is not good.
            Malformed: the password may not be chosen.
            TooManyRequests: the link is opened too often.
            Overloaded: too many passwords are being hashed.
        """
        invited = await self.invited(token)
        check_choice(password, invited.login)
        chosen = Chosen(
            staff=invited.id,
            login=invited.login,
            link=hash_of(token),
            password=await self._passwords.hash(password),
            secret=self._one_time.new_secret(),
        )
        address = self._one_time.address(chosen.secret, chosen.login)
        ticket = self._tickets.seal(chosen, CONFIRM_LIFE_S)
        return Offered(ticket, chosen.secret, qr.svg(address))

    async def confirm(self, ticket: str | None, code: str, *, instead_of: str | None) -> SignedIn:
        """Show by a code that the second factor is set up: account and session begin.

        Raises:
            SignInRefused: the code is wrong, or the link was used meanwhile.
            TooManyRequests: too many codes came for the link.
        """
        chosen = self._tickets.open(Chosen, ticket)
        if chosen is None:
            raise SignInRefused("no-choice")
        self._attempts.link(chosen.link)
        step = self._one_time.step_of(chosen.secret, code, 0)
        if step is None:
            raise SignInRefused("code")
        sealed = self._one_time.seal(chosen.secret, chosen.staff)
        async with self._database.transaction() as connection:
            taken = await rows.take_up(
                connection,
                chosen.link,
                chosen.staff,
                password=chosen.password,
                wrapped_key=sealed.wrapped_key,
                totp=sealed.secret,
                step=step,
            )
            if not taken:
                raise SignInRefused("link")
            session = await self._sessions.begin(
                connection, chosen.staff, instead_of=instead_of, desk=None
            )
        return SignedIn(session, self._sign_in.remember(chosen.login))

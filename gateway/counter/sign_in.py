"""Staff sign in: a password, then a second factor, then a session.

A login that nobody has takes the same work and gets the same words as a wrong password. Attempts
are bounded (gateway/counter/attempts.py): strangers' by address and login, and apart from them
those of a browser in which the person signed in before, and those of the second step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias
from uuid import UUID

import msgspec
import structlog

from gateway.counter.attempts import Attempts
from gateway.counter.passwords import Passwords
from gateway.counter.sessions import CounterSessions
from gateway.counter.tickets import Tickets
from gateway.counter.totp import OneTime, Sealed
from gateway.errors import SignInRefused, TooManyRequests
from gateway.store import counter_staff as rows
from gateway.store.counter_staff import SecondRow
from gateway.store.database import Connection, Database

#: How long the second factor may take after the first, in seconds.
SECOND_LIFE_S: Final = 300
#: For how long a browser is remembered as one that a person signed in with.
KNOWN_LIFE_S: Final = 30 * 86_400

#: Wrong codes in a row that are tolerated; from this one on the account waits, longer each time.
WRONG_CODES: Final = 5
FIRST_LOCK_S, LONGEST_LOCK_S = 60, 900

#: Looks at a second factor of an account that is locked meanwhile, and uses it up if it is right.
Check: TypeAlias = Callable[[Connection, SecondRow], Awaitable[bool]]

_log = structlog.get_logger(__name__)


class Passed(msgspec.Struct, frozen=True):
    """A ticket: the first factor was right, of the password as it was then."""

    staff: UUID
    password: bytes


class Known(msgspec.Struct, frozen=True):
    """A ticket: this login signed in with this browser."""

    login: str


class SignedIn(msgspec.Struct, frozen=True):
    """A session's identifier, and the browser's remembrance of it."""

    session: str
    known: str


class SignIn:
    """Signing in at one worker."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        one_time: OneTime,
        sessions: CounterSessions,
        tickets: Tickets,
        attempts: Attempts,
    ) -> None:
        self._database, self._passwords, self._one_time = database, passwords, one_time
        self._sessions, self._tickets = sessions, tickets
        self._attempts = attempts

    async def first(self, login: str, password: str, address: str, known: str | None) -> str:
        """The ticket for the second step, where login and password are right.

        Args:
            known: the browser's ticket of an earlier session, if it has one.

        Raises:
            SignInRefused: they are not, or the account may not sign in.
            TooManyRequests, Overloaded: too many try.
        """
        before = self._tickets.open(Known, known)
        if before is not None and before.login == login:
            self._attempts.known(login)
        else:
            self._attempts.stranger(login, address)
        async with self._database.connection() as connection:
            found = await rows.password(connection, login)
        staff, kept = found or (None, None)
        if not await self._passwords.is_right(password, kept) or staff is None or kept is None:
            _log.info("counter_sign_in_refused", reason="password")
            raise SignInRefused("password")
        return self._tickets.seal(Passed(staff, _mark(kept)), SECOND_LIFE_S)

    async def second(self, ticket: str | None, code: str, *, instead_of: str | None) -> SignedIn:
        """A session, where the ticket is good and the code right and not used before.

        Raises:
            SignInRefused: they are not.
            TooManyRequests: too many codes were wrong, or came at all.
        """

        async def is_right(connection: Connection, account: SecondRow) -> bool:
            step = self._step(account, code)
            if step is not None:
                await rows.use_step(connection, account.id, step)
            return step is not None

        return await self.finish(ticket, is_right, instead_of=instead_of)

    async def finish(
        self, ticket: str | None, is_right: Check, *, instead_of: str | None
    ) -> SignedIn:
        """A session, where the ticket is good and the second factor right: it is used up by that.

        Raises: as `second` does.
        """
        passed = self.passed(ticket)
        async with self._database.transaction() as connection:
            account = await rows.second(connection, passed.staff)
            if account is None or account.password is None:
                raise SignInRefused("account")
            if _mark(account.password) != passed.password:
                raise SignInRefused("password-changed")
            if account.locked_s:
                raise TooManyRequests(account.locked_s)
            if await is_right(connection, account):
                await rows.passed(connection, account.id)
                session = await self._sessions.begin(
                    connection, account.id, instead_of=instead_of, desk=None
                )
                return SignedIn(session, self.remember(account.login))
            await rows.failed(
                connection,
                account.id,
                tolerated=WRONG_CODES,
                first_s=FIRST_LOCK_S,
                most_s=LONGEST_LOCK_S,
            )
        # Raised outside: the failure counts only if its transaction is committed.
        _log.info("counter_sign_in_refused", reason="second")
        raise SignInRefused("second")

    def passed(self, ticket: str | None) -> Passed:
        """Whose first factor was right, counted as an attempt at the second.

        Raises:
            SignInRefused: it is no ticket of a first step, or its time is over.
            TooManyRequests: too many second steps of this account.
        """
        passed = self._tickets.open(Passed, ticket)
        if passed is None:
            raise SignInRefused("no-first-factor")
        self._attempts.account(passed.staff)
        return passed

    def remember(self, login: str) -> str:
        """A ticket by which the browser of a login is known again."""
        return self._tickets.seal(Known(login), KNOWN_LIFE_S)

    def _step(self, account: SecondRow, code: str) -> int | None:
        assert account.totp is not None, "set with the password"
        assert account.wrapped_key is not None, "set with the password"
        secret = self._one_time.open(Sealed(account.wrapped_key, account.totp), account.id)
        return self._one_time.step_of(secret, code, account.totp_step)


def _mark(password: str) -> bytes:
    """Names a password's hash, and says nothing of it."""
    return hashlib.sha256(password.encode()).digest()[:16]

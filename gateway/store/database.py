"""Connections to PostgreSQL: bounded in number, in time, and always to the primary.

asyncpg by itself waits for ever on an exhausted pool or a silent server; every wait here has an
end. No connection state is ever used outside a transaction, so the reset query on release, a
round trip each time, is left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import asyncpg
import structlog
from asyncpg.connect_utils import SessionAttribute

from gateway.errors import DependencyDown, OutcomeUnknown, Overloaded, StillRunning

Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)

#: What every session of the gateway sets. Isolation stays READ COMMITTED: a statement must see
#: what was committed before it was sent, which a transaction's older snapshot would not.
SESSION = {
    "timezone": "UTC",
    "statement_timeout": "1000",
    "lock_timeout": "200",
    "idle_in_transaction_session_timeout": "2000",
    "transaction_timeout": "5000",
    "default_transaction_isolation": "read committed",
    "synchronous_commit": "on",
    "jit": "off",
}

#: Faults after which nobody knows whether a commit happened.
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    OSError,
    TimeoutError,
)

#: Somebody else holds a row: nothing happened, and coming back later helps.
BUSY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)

_log = structlog.get_logger(__name__)


async def _no_reset(_connection: object) -> None:
    """Releasing a connection costs no round trip: there is no session state to reset."""


class Database:
    """A pool of the request role's connections.

    Args:
        url: the primary, as the role `qianjiang_gateway`.
        pool_max: connections at most.
        timeout_s: bound of connecting, of waiting for a connection and of one statement.
        session: settings on top of `SESSION`.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_max: int,
        timeout_s: float,
        session: Mapping[str, str] | None = None,
    ) -> None:
        self._url = url
        self._pool_max = pool_max
        self._timeout_s = timeout_s
        self._session = {**SESSION, **(session or {})}
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Make the pool. Connections are opened when they are wanted: the primary may be away."""
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=self._pool_max,
            timeout=self._timeout_s,
            command_timeout=self._timeout_s,
            max_inactive_connection_lifetime=300,
            target_session_attrs=SessionAttribute.read_write,
            server_settings=self._session,
            reset=_no_reset,
        )

    async def close(self) -> None:
        """Close what is idle, end what is not: stopping must not wait on a dead server."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for reads or single statements.

        Raises:
            Overloaded: none was free in time, or a statement waited too long for a lock.
            DependencyDown: the database cannot be reached, was lost on the way, or cut a statement
                off that took too long.
        """
        assert self._pool is not None, "the pool is opened with the application"
        try:
            connection = await self._pool.acquire(timeout=self._timeout_s)
        except TimeoutError:
            raise Overloaded(retry_after_s=1) from None
        except LOST as fault:
            raise DependencyDown from fault
        try:
            yield connection
        except LOST as fault:
            raise DependencyDown from fault
        except (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError) as fault:
            # Nothing happened. What else PostgreSQL refuses is the caller's to judge.
            _log.warning("statement_cut_off", sqlstate=fault.sqlstate)
            if isinstance(fault, asyncpg.LockNotAvailableError):
                raise Overloaded(retry_after_s=1) from fault
            raise DependencyDown("database") from fault
        finally:
            await self._release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction that is committed when the block ends.

        Raises:
            StillRunning: somebody else held what the block needed for longer than `lock_timeout`.
            DependencyDown: a statement took too long, or the connection was lost before the commit.
            OutcomeUnknown: the connection was lost while committing: it may have happened.
        """
        async with self.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                yield connection
            except BaseException as fault:
                if not connection.is_closed():
                    await transaction.rollback()
                if isinstance(fault, BUSY):
                    raise StillRunning from fault
                if isinstance(fault, asyncpg.QueryCanceledError):
                    raise DependencyDown("database") from fault
                raise
            try:
                await transaction.commit()
            except LOST as fault:
                raise OutcomeUnknown from fault

    async def _release(self, connection: asyncpg.pool.PoolConnectionProxy[asyncpg.Record]) -> None:
        # What goes wrong here costs the connection, which the pool then replaces. It must not hide
        # from the caller how the statement itself ended.
        with suppress(*LOST):
            if self._pool is not None:
                await self._pool.release(connection, timeout=self._timeout_s)

"""One connection to Valkey of its own: commands out together, replies back in order.

The client's pool, retries, health checks and a task for each write cost more than reading fifty
keys. Here is a connection, one exchange at a time, one bound on its time with the wait for a turn,
and a new connection after any fault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio.connection import Connection, parse_url
from redis.exceptions import ConnectionError as ValkeyConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as ValkeyTimeoutError
from redis.maint_notifications import MaintNotificationsConfig

Command = tuple[bytes | str | int, ...]


class Line:
    """A connection that is made when it is first wanted.

    Args:
        url: Valkey's address, `redis://[user:password@]host:port/db` or `unix://…`.
        timeout_s: bound of connecting, and of one exchange.
    """

    def __init__(self, url: str, *, timeout_s: float) -> None:
        options: dict[str, Any] = dict(parse_url(url))
        kind = options.pop("connection_class", Connection)
        self._connection: Connection = kind(
            **options,
            socket_connect_timeout=timeout_s,
            protocol=3,
            health_check_interval=0,
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
        self._timeout_s = timeout_s
        # Replies are told apart by their order alone, so two exchanges must never overlap.
        self._turn = asyncio.Lock()

    async def exchange(self, *commands: Command) -> list[Any]:
        """The replies to commands that are sent together; a command's own error is its reply.

        Raises:
            RedisError, OSError: there are no replies, and the next exchange connects anew.
        """
        try:
            async with asyncio.timeout(self._timeout_s), self._turn:
                return await self._exchange(commands)
        except TimeoutError:
            raise ValkeyTimeoutError("no reply in time") from None

    async def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        replies: list[Any] = []
        try:
            packed = self._connection.pack_commands(commands)
            await self._connection.send_packed_command(packed, check_health=False)
            while len(replies) < len(commands):
                replies.append(await self._reply())
        finally:
            if len(replies) < len(commands):
                # What was not read now would be taken for the next exchange's reply.
                await self._connection.disconnect(nowait=True)
        return replies

    async def close(self) -> None:
        """End the connection."""
        await self._connection.disconnect(nowait=True)

    async def _reply(self) -> Any:
        try:
            return await self._connection.read_response(disable_decoding=True)
        except ValkeyConnectionError:
            raise
        except ResponseError as refused:
            return refused

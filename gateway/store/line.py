"""One connection to Valkey of its own: commands out together, replies back in order.

The client's pool, locks, retries and a task for each write cost more than reading fifty keys. The
hot path has one exchange under way at a time (gateway/batching.py), so it needs none of them: a
connection, one bound on time, and a new connection after any fault.
"""

from __future__ import annotations

import asyncio
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
        self._taken = False

    async def exchange(self, *commands: Command) -> list[Any]:
        """The replies to commands that are sent together; a command's own error is its reply.

        Raises:
            RedisError, OSError: there are no replies, and the next exchange connects anew.
        """
        # Replies are told apart by their order alone, so two exchanges must never overlap.
        assert not self._taken, "one exchange at a time"
        self._taken = True
        replies: list[Any] = []
        try:
            async with asyncio.timeout(self._timeout_s):
                packed = self._connection.pack_commands(commands)
                await self._connection.send_packed_command(packed, check_health=False)
                while len(replies) < len(commands):
                    replies.append(await self._reply())
        except TimeoutError:
            raise ValkeyTimeoutError("no reply in time") from None
        finally:
            self._taken = False
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

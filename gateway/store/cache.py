"""The copy of standings in Valkey: fast, and never believed.

An entry names itself (generation, citizen, layout, version), so that one that was torn, moved to
another key or belongs to another history is a miss. What an entry says is still only a proposal:
the commit compares its digest with PostgreSQL. Nothing here ever deletes a key. Losing all of it
costs speed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import cast
from uuid import UUID

import msgspec
import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.maint_notifications import MaintNotificationsConfig

from gateway.body import SCHEMA
from gateway.clock import Clock
from gateway.counts import Counts
from gateway.gcra import Grant
from gateway.ids import Ids
from gateway.store import limit
from gateway.store.line import Line

_log = structlog.get_logger(__name__)

# An entry: generation (8 bytes), layout (2), citizen (16), version (8, big-endian), then the body.
_NAME, _HEAD = 26, 34

# Versions are compared byte by byte: Lua's numbers lie above 2^53, and its order of strings follows
# the server's locale. The second argument names an entry that a commit has just proved wrong; only
# those very bytes may be replaced by an older version, so a poisoned entry heals and a newer one is
# never lost.
_OFFER = """
local held = redis.call('GET', KEYS[1])
local function newer(ours, theirs)
  for i = 27, 34 do
    local a, b = string.byte(ours, i), string.byte(theirs, i) or -1
    if a ~= b then return a > b end
  end
  return false
end
if held and held ~= ARGV[2] and not newer(ARGV[1], held) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return 1
"""
_OFFER_SHA = hashlib.sha1(_OFFER.encode(), usedforsecurity=False).hexdigest()


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A standing as it travels: version 0 says that there is none by that name."""

    citizen: UUID
    version: int
    body: bytes


class Cache:
    """Standings and stock in Valkey.

    Every call is bounded by the client's timeout and answers "nothing known" when Valkey does
    not: the caller then reads PostgreSQL. After a failure Valkey is left alone for a second, so
    a dead cache costs a few slow calls and not one for each decision.
    """

    REST_S = 1.0

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float,
        ttl_s: int,
        clock: Clock,
        ids: Ids,
        counts: Counts | None = None,
    ) -> None:
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=4,
            timeout=0.02,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            protocol=3,
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
            health_check_interval=15,
        )
        self._redis = Redis(connection_pool=self._pool)
        self._line = Line(url, timeout_s=timeout_s)
        self._ttl_ms = ttl_s * 1000
        self._clock = clock
        self._ids = ids
        self._counts = counts or Counts(clock)
        self._resting_until = 0.0
        self.generation = 0

    @property
    def generation(self) -> int:
        """The restore generation whose entries are read and written, as an unsigned number."""
        return int.from_bytes(self._generation, "big")

    @generation.setter
    def generation(self, number: int) -> None:
        self._generation = (number & _U64).to_bytes(8, "big")
        self._of_standing = b"gw:s:" + self._generation
        self._name = self._generation + SCHEMA.to_bytes(2, "big")

    async def close(self) -> None:
        """Give the connections back."""
        await self._line.close()
        await self._redis.aclose()
        await self._pool.aclose()

    async def get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of keys in one MGET; all None where Valkey does not answer."""
        if self._resting():
            return [None] * len(keys)
        began = self._clock.monotonic()
        try:
            (found,) = await self._line.exchange((b"MGET", *keys))
        except (RedisError, OSError) as fault:
            found = fault
        self._counts.mget(self._clock.monotonic() - began)
        if isinstance(found, Exception):
            self._rest(found)
            return [None] * len(keys)
        return cast("list[bytes | None]", found)  # responses are not decoded

    async def get_limited(
        self, keys: Sequence[bytes], charges: Sequence[limit.Charge]
    ) -> tuple[list[bytes | None], list[Grant] | None]:
        """As `get`, and what is granted of each charge, in one round trip.

        No grants, hence None, where Valkey does not answer: the caller then limits by itself.
        """
        nothing: list[bytes | None] = [None] * len(keys)
        if self._resting():
            return nothing, None
        script = (b"EVALSHA", limit.SHA, *limit.arguments(self.generation, charges))
        commands = [script, (b"MGET", *keys)] if keys else [script]
        began = self._clock.monotonic()
        try:
            told, *found = await self._line.exchange(*commands)
            self._counts.mget(self._clock.monotonic() - began)
            if isinstance(told, NoScriptError):
                # Valkey was restarted and has forgotten the script, so nothing was charged yet.
                load = (b"SCRIPT", b"LOAD", limit.SCRIPT)
                _, told = await self._line.exchange(load, script)
            if found and isinstance(found[0], Exception):
                raise found[0]
        except (RedisError, OSError) as fault:
            self._rest(fault)
            return nothing, None
        values = found[0] if found else nothing
        if isinstance(told, Exception):
            # The script failed (no memory, no right), and what was read is still good.
            _log.warning("cache_unavailable", reason=type(told).__name__)
            return values, None
        return values, limit.grants(told)

    async def offer(self, entries: Sequence[tuple[Entry, bytes]]) -> None:
        """Set each entry if it is newer than what is held, or if what is held is its second part:
        bytes that a commit has proved wrong (empty where none are)."""
        if self._resting():
            return
        try:
            await self._offer_all(entries)
        except (RedisError, OSError) as fault:
            self._rest(fault)

    async def put(self, key: bytes, value: bytes, ttl_s: int) -> None:
        """Set an advisory value for a short time."""
        if self._resting():
            return
        try:
            await self._redis.set(key, value, ex=ttl_s)
        except (RedisError, OSError) as fault:
            self._rest(fault)

    def key(self, citizen: UUID) -> bytes:
        """The key of a standing; the generation is part of it."""
        return self._of_standing + citizen.bytes

    def stock_key(self, community: str, item: str) -> bytes:
        """The key of an item's stock."""
        return b"gw:k:" + self._generation + f"{community}/{item}".encode()

    def pack(self, entry: Entry) -> bytes:
        """The value of an entry: generation, layout, citizen and version, then the body."""
        version = entry.version.to_bytes(8, "big")
        return b"".join((self._name, entry.citizen.bytes, version, entry.body))

    def unpack(self, citizen: UUID, value: bytes) -> Entry | None:
        """The entry of a value, or None where it is not what was asked for."""
        if value[:_NAME] != self._name + citizen.bytes or len(value) < _HEAD:
            return None
        version = int.from_bytes(value[_NAME:_HEAD], "big")
        return Entry(citizen, version, value[_HEAD:]) if version < _U63 else None

    async def _offer_all(self, entries: Sequence[tuple[Entry, bytes]]) -> None:
        for attempt in (1, 2):
            pipeline = self._redis.pipeline(transaction=False)
            for entry, wrong in entries:
                pipeline.evalsha(
                    _OFFER_SHA, 1, self.key(entry.citizen), self.pack(entry), wrong, self._ttl()
                )
            try:
                await pipeline.execute()
            except NoScriptError:
                # Valkey was restarted and has forgotten the script; setting if newer may safely
                # be said twice.
                if attempt == 2:
                    raise
                await self._redis.script_load(_OFFER)
            else:
                return

    def _ttl(self) -> int:
        """Milliseconds, shortened by up to a quarter so that entries do not all end at once."""
        return self._ttl_ms - self._ttl_ms * self._ids.random_bytes(1)[0] // 1024

    def _resting(self) -> bool:
        return self._clock.monotonic() < self._resting_until

    def _rest(self, fault: Exception) -> None:
        if not self._resting():
            _log.warning("cache_unavailable", reason=type(fault).__name__)
        self._resting_until = self._clock.monotonic() + self.REST_S


_U64 = (1 << 64) - 1
_U63 = 1 << 63  # versions are PostgreSQL's bigint

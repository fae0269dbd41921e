"""Limits of parties in Valkey: one script, on the server's own clock, for a whole batch.

The script is `gateway.gcra.charge` for several names at once. It is sent beside the MGET of the
same batch (gateway/store/cache.py), so a limit costs no round trip of its own. What Valkey holds is
believed as little here as elsewhere: a value that is no number, or one that is too far ahead, is
brought to what can be true.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import cast

import msgspec

from gateway.gcra import Grant, Rate

#: Where the script's `now` comes from: microseconds since the epoch, below 2^53 until 2255.
CLOCK = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
"""

# Numbers in Lua are doubles: exact to 2^53, and `tostring` keeps 14 digits, hence '%.0f'. A number
# that is too far ahead is replaced at once, or it would stay ahead for ever. Keys outlive their use
# by a minute, so that a clock that is set back finds them.
BODY = """
local answer = {}
for i = 1, #KEYS do
  local interval, depth = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
  local count = tonumber(ARGV[3 * i])
  local held, full_at = redis.pcall('GET', KEYS[i]), now
  if type(held) == 'string' and string.find(held, '^%d+$') then
    full_at = math.max(tonumber(held), now)
  end
  local ahead = full_at > now + depth
  if ahead then full_at = now + depth end
  local admitted = math.min(count, math.floor((now + depth - full_at) / interval))
  if admitted > 0 or ahead then
    full_at = full_at + admitted * interval
    redis.call('SET', KEYS[i], string.format('%.0f', full_at),
               'PX', string.format('%.0f', math.ceil((full_at - now) / 1000) + 60000))
  end
  local room = now + depth - full_at
  local at = 4 * (i - 1)
  answer[at + 1], answer[at + 2] = admitted, math.floor(room / interval)
  answer[at + 3], answer[at + 4] = full_at - now, math.max(0, interval - room)
end
return answer
"""

SCRIPT = CLOCK + BODY
SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()


class Charge(msgspec.Struct, frozen=True):
    """So many requests of one party, at its rate."""

    party: int
    rate: Rate
    count: int


def key(generation: int, party: int) -> bytes:
    """The key of a party's limit."""
    return b"gw:l:%016x:%d" % (generation, party)


def arguments(generation: int, charges: Sequence[Charge]) -> list[bytes | int]:
    """What follows the script's name in EVALSHA: the number of keys, the keys, the rest."""
    words: list[bytes | int] = [len(charges)]
    words += [key(generation, each.party) for each in charges]
    for each in charges:
        words += (each.rate.interval_us, each.rate.depth_us, each.count)
    return words


def grants(reply: object) -> list[Grant]:
    """The script's answer: one grant for each charge, in order."""
    numbers = cast("list[int]", reply)
    return [Grant(*numbers[at : at + 4]) for at in range(0, len(numbers), 4)]

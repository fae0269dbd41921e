"""What must be true before the gateway answers anything: it refuses to start otherwise.

Every promise about records and withdrawals rests on these. They are asked of the running database,
not read from a configuration file.
"""

from __future__ import annotations

from gateway.clock import SECOND_US, Clock
from gateway.errors import GatewayError
from gateway.store import migrate, preflight
from gateway.store.migrate import Connection

#: The gateway's clock may differ from the database's by less than this.
SKEW_US_MAX = 2 * SECOND_US

_DURABLE = ("on", "remote_write", "remote_apply")


class Unready(GatewayError):
    """The gateway may not start; the message lists every reason with its remedy."""


async def check(connection: Connection, clock: Clock) -> None:
    """Refuse a database on which an acknowledged write could be lost or an old truth served.

    Raises:
        Unready: with one line for each thing that is wrong.
    """
    before = clock.now_us()
    server = await preflight.server(connection)
    skew_us = server.clock_us - (before + clock.now_us()) // 2
    faults = [
        fault
        for wrong, fault in (
            (server.fsync != "on", "fsync is off: set it on"),
            (server.full_page_writes != "on", "full_page_writes is off: set it on"),
            (
                server.synchronous_commit not in _DURABLE,
                f"synchronous_commit is {server.synchronous_commit}: set it on",
            ),
            (server.in_recovery, "the server is in recovery: name the primary"),
            (
                abs(skew_us) >= SKEW_US_MAX,
                f"clocks differ by {abs(skew_us) / SECOND_US:.1f} s: set both by NTP",
            ),
        )
        if wrong
    ]
    if await migrate.pending(connection):
        faults.append("the schema is behind: run `qianjiang migrate`")
    elif not await preflight.has_realm(connection):
        faults.append("the database belongs to no city: run `qianjiang scenarios publish --city`")
    if faults:
        raise Unready("not started:\n  " + "\n  ".join(faults))

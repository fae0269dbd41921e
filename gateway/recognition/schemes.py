"""Recognition schemes: published once by an operator, and held by every worker."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Final

import structlog

from gateway.errors import Conflict
from gateway.store import policy as policy_rows
from gateway.store import recognition_scheme as rows
from gateway.store.database import Connection, Database
from gateway.store.recognition_scheme import Published, Stored
from scenarios.scheme_text import SchemeError, parse_scheme
from scenarios.schemes import Scheme, beyond_own_bands, in_force

#: Versions of all schemes that a city keeps. A version is never taken back, so this is the bound of
#: what a worker holds; at one change a month it lasts for two decades.
VERSIONS_MAX: Final = 256

_log = structlog.get_logger(__name__)


class Schemes:
    """The published schemes of one worker. A version never changes, so what is held is true."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: dict[tuple[str, int], Scheme | None] = {}

    async def refresh(self) -> None:
        """Take in what was published since; called on every worker's tick."""
        async with self._database.connection() as connection:
            found = await rows.unread(connection, self._held.keys(), VERSIONS_MAX)
        for stored in found:
            self._held[stored.id, stored.version] = _parsed(stored)

    def get(self, scheme: str, version: int) -> Scheme | None:
        """A version of a scheme, or None where it was not published here."""
        return self._held.get((scheme, version))

    def all(self) -> list[Scheme]:
        """Every version, by id and version."""
        return [scheme for _, scheme in sorted(self._held.items()) if scheme is not None]

    def in_force(self, scheme: str, day: date) -> Scheme | None:
        """The newest version of a scheme that is in force on a day (Asia/Shanghai)."""
        return in_force([each for each in self.all() if each.id == scheme], day)


async def publish(connection: Connection, raw: bytes, file: str = "scheme.toml") -> Scheme:
    """Add a version to the published schemes; the very same text again changes nothing.

    Args:
        connection: as the owner.
        raw: the TOML text.
        file: how problems name it.

    Raises:
        SchemeError: the text spells no scheme; every fault is named.
        Conflict: the version was published with another text, does not begin later than the former
            ones, gives visitors bands that this city does not have, or there are too many.
    """
    scheme = parse_scheme(raw, file)
    async with connection.transaction():
        await rows.lock(connection)
        former = await rows.of_id(connection, scheme.id)
        for each in former:
            if each.version == scheme.version:
                _check_unchanged(scheme, each, raw)
                return scheme
        _check_later(scheme, former)
        await _check_city(connection, scheme)
        if await rows.count(connection) >= VERSIONS_MAX:
            raise Conflict(f"there are {VERSIONS_MAX} versions of schemes already")
        await rows.add(connection, scheme.id, scheme.version, scheme.start, raw.decode())
    return scheme


def _parsed(stored: Stored) -> Scheme | None:
    try:
        return parse_scheme(stored.text.encode(), f"{stored.id}-{stored.version}")
    except SchemeError as fault:
        # It was published by another version of this program; nobody is recognised by it here.
        _log.error("scheme_unreadable", count=len(fault.problems))
        return None


def _check_unchanged(scheme: Scheme, former: Published, raw: bytes) -> None:
    if former.sha256 != hashlib.sha256(raw).digest():
        raise Conflict(
            f"version {scheme.version} of {scheme.id} was published with another text, and a"
            " version never changes: give the change the next number and a later date"
        )


def _check_later(scheme: Scheme, former: list[Published]) -> None:
    for each in former:
        if each.version > scheme.version or each.valid_from >= scheme.start:
            raise Conflict(
                f"version {scheme.version} of {scheme.id} (from {scheme.start}) does not follow"
                f" version {each.version} (from {each.valid_from}): a change has a higher number"
                " and a later date"
            )


async def _check_city(connection: Connection, scheme: Scheme) -> None:
    city = await policy_rows.realm_city(connection)
    for tier in beyond_own_bands(scheme, city) if city is not None else ():
        raise Conflict(f"{scheme.id} maps {tier} to a band that {city}, this city, does not have")

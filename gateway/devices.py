"""Device keys: what a citizen signs with, held by nobody else (电子签名法 13).

Only the public key is here. A key belongs to one citizen for ever: registered by a second one it
would no longer be under anybody's sole control. A lost key is reported and stops at once
(电子签名法 15); what it signed since it may have been in other hands is void from the same instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec

from gateway.claims import Kind
from gateway.clock import Clock
from gateway.errors import AccountClosed, Conflict, Malformed, NotFound, TooManyDevices
from gateway.idempotency import Act, once
from gateway.ids import Ids
from gateway.jwk import Alg, JwkRefused, Key, parse_jwk, public_jwk, thumbprint
from gateway.standing import StandingWriter
from gateway.store import commitment as commitment_rows
from gateway.store import device as rows
from gateway.store import standing as standing_rows
from gateway.store.commitment import CommitmentRow
from gateway.store.database import Connection, Database
from gateway.store.device import DeviceRow

#: Devices that one citizen may sign with at a time.
DEVICES_MAX: Final = 10
#: Devices that one citizen may ever register: keys are kept for ever, since what they signed is.
DEVICES_EVER: Final = 200


class DeviceKeys:
    """The keys with which one citizen may sign now: the guard's look-up."""

    def __init__(self, citizen: UUID, devices: list[DeviceRow]) -> None:
        self._issuer = str(citizen)
        self._devices = {device.kid: device for device in devices if device.revoked_us is None}

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        """A key of this citizen that was not revoked, for commitments only."""
        device = self._devices.get(kid)
        if device is None or kind is not Kind.COMMITMENT or issuer != self._issuer:
            return None
        return parse_jwk(device.jwk.encode())

    def device(self, kid: str) -> UUID:
        """The device of a key that was found."""
        return self._devices[kid].id


class Devices:
    """The devices of the city's citizens."""

    def __init__(self, database: Database, writer: StandingWriter, clock: Clock, ids: Ids) -> None:
        self._database, self._writer, self._clock, self._ids = database, writer, clock, ids

    async def of(self, citizen: UUID) -> list[DeviceRow]:
        """All devices a citizen ever registered."""
        async with self._database.connection() as connection:
            return await rows.of_citizen(connection, citizen)

    async def register(
        self, citizen: UUID, name: str, jwk: dict[str, str], act: Act | None
    ) -> DeviceRow:
        """Register a public key; the same one again is the same device.

        Raises:
            Malformed: it is not a public P-256 key.
            Conflict: somebody has or had it.
            AccountClosed: the account was closed meanwhile.
            TooManyDevices: there are as many as one may have.
        """
        key = _accepted(jwk)
        async with self._database.transaction() as connection:
            # Devices are not read by decisions; the lock only makes this citizen's writes wait
            # for one another, so that counting and adding are one.
            if not await standing_rows.lock(connection, [citizen]):
                raise AccountClosed
            return await once(
                connection, act, DeviceRow, lambda: self._add(connection, citizen, name, key)
            )

    async def register_within(
        self, connection: Connection, citizen: UUID, name: str, jwk: dict[str, str]
    ) -> DeviceRow:
        """`register` inside a change of this citizen's standing: for many in one change."""
        return await self._add(connection, citizen, name, _accepted(jwk))

    async def rename(self, citizen: UUID, device: UUID, name: str) -> DeviceRow:
        """Give a device another name, stopped or not: lists of what it signed show it.

        Raises:
            NotFound: the citizen has no such device.
            AccountClosed: the account was closed meanwhile.
        """
        async with self._database.transaction() as connection:
            # A name must not come back after its account was closed.
            if not await standing_rows.lock(connection, [citizen]):
                raise AccountClosed
            if not await rows.rename(connection, citizen, device, name):
                raise NotFound
            return await _one(connection, citizen, device)

    async def signed(self, citizen: UUID) -> Mapping[UUID, list[CommitmentRow]]:
        """The newest version of each commitment, by the device that signed it."""
        async with self._database.connection() as connection:
            return await commitment_rows.signed_by(connection, citizen)

    async def would_void(
        self, citizen: UUID, device: UUID, compromised_us: int | None
    ) -> list[CommitmentRow]:
        """The commitments that `revoke` with the same words would void now.

        Raises:
            NotFound: the citizen has no such device.
            Malformed: the instant lies ahead.
        """
        self._check_past(compromised_us)
        async with self._database.connection() as connection:
            if device not in {row.id for row in await rows.of_citizen(connection, citizen)}:
                raise NotFound
            if compromised_us is None:
                return []
            signed = (await commitment_rows.signed_by(connection, citizen)).get(device, [])
            return [
                row for row in signed if row.status == "signed" and row.signed_us >= compromised_us
            ]

    async def revoke(self, citizen: UUID, device: UUID, compromised_us: int | None) -> DeviceRow:
        """Stop a key now; what it signed since `compromised_us` is void. May be said again.

        Raises:
            NotFound: the citizen has no such device.
            Malformed: the instant lies ahead.
        """
        self._check_past(compromised_us)
        async with self._writer.change(citizen) as connection:
            if device not in {row.id for row in await rows.of_citizen(connection, citizen)}:
                raise NotFound
            await rows.revoke(connection, citizen, device, compromised_us)
            if compromised_us is not None:
                await commitment_rows.void(connection, citizen, device, compromised_us)
            return await _one(connection, citizen, device)

    async def revoke_all_within(self, connection: Connection, citizen: UUID) -> None:
        """`revoke` of every device, inside a change of this standing; nothing becomes void."""
        for row in await rows.of_citizen(connection, citizen):
            await rows.revoke(connection, citizen, row.id, None)

    def _check_past(self, compromised_us: int | None) -> None:
        if compromised_us is not None and compromised_us > self._clock.now_us():
            raise Malformed([("/compromised_since", "lies in the future")])

    async def _add(self, connection: Connection, citizen: UUID, name: str, key: Key) -> DeviceRow:
        held = await rows.of_citizen(connection, citizen)
        active = [row for row in held if row.revoked_us is None]
        for row in active:
            if row.kid == key.kid:
                return row
        if len(active) >= DEVICES_MAX or len(held) >= DEVICES_EVER:
            raise TooManyDevices
        device = self._ids.random_uuid()
        jwk = msgspec.json.encode(public_jwk(key)).decode()
        if not await rows.add(connection, device, citizen, key.kid, jwk, name):
            raise Conflict
        return await _one(connection, citizen, device)


def _accepted(jwk: dict[str, str]) -> Key:
    try:
        key = parse_jwk(msgspec.json.encode(jwk))
    except JwkRefused:
        raise Malformed([("/jwk", "not a public P-256 key")]) from None
    if key.alg is not Alg.ES256:
        raise Malformed([("/jwk", "not a public P-256 key")])
    # Its own thumbprint (RFC 7638), whatever the sender calls it: a name nobody can choose.
    return Key(thumbprint(key.public), key.alg, key.public)


async def _one(connection: Connection, citizen: UUID, device: UUID) -> DeviceRow:
    return next(row for row in await rows.of_citizen(connection, citizen) if row.id == device)

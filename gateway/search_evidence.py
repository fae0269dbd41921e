"""The canonical bytes of a search: what its receipt is the hash of.

As with a decision (gateway/evidence.py) the receipt is SHA-256 over `head`, then the instant of the
commit and the end of validity as big-endian 64-bit microseconds, which the committing statement
appends. All of it is made of the row's own columns and of no personal data.
"""

from __future__ import annotations

import hashlib
import struct
from datetime import date
from uuid import UUID

import msgspec

_FORMAT = b"qjf-search/1\n"
# received, party, party revision, sector, standing version, since, until, score as of (proleptic
# day number, 0 = none), how many policies were asked and found
_NUMBERS = struct.Struct(">qiqiqqqIHH")


class SearchRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a search that are known before its commit.

    `evaluated` and `found` are numbers of policies; `consents` (16 bytes each) and
    `consent_versions` are those relied on, one for each that was found, in the same order.
    """

    id: UUID
    received_us: int
    party: int
    party_revision: int
    sector: int
    citizen: UUID
    standing_version: int
    evaluated: tuple[int, ...]
    found: tuple[int, ...]
    consents: tuple[bytes, ...]
    consent_versions: tuple[int, ...]
    since_us: int
    until_us: int
    score_as_of: date | None
    facts_hash: bytes
    staff: str | None
    reference: str | None


def head(record: SearchRecord) -> bytes:
    """The canonical bytes of a record, but for the two instants that its commit appends."""
    numbers = _NUMBERS.pack(
        record.received_us,
        record.party,
        record.party_revision,
        record.sector,
        record.standing_version,
        record.since_us,
        record.until_us,
        record.score_as_of.toordinal() if record.score_as_of else 0,
        len(record.evaluated),
        len(record.found),
    )
    policies = record.evaluated + record.found + record.consent_versions
    return b"".join(
        (
            _FORMAT,
            record.id.bytes,
            record.citizen.bytes,
            numbers,
            struct.pack(f">{len(policies)}i", *policies),
            *record.consents,
            _text(record.facts_hash),
            _text(record.staff.encode() if record.staff is not None else None),
            _text(record.reference.encode() if record.reference is not None else None),
        )
    )


def receipt(record: SearchRecord, at_us: int, valid_until_us: int) -> bytes:
    """The receipt of a committed record: what its row must hold, and its answer must carry."""
    return hashlib.sha256(head(record) + struct.pack(">qq", at_us, valid_until_us)).digest()


def _text(raw: bytes | None) -> bytes:
    """Length-prefixed, and absent is not empty."""
    return b"\xff\xff" if raw is None else len(raw).to_bytes(2, "big") + raw

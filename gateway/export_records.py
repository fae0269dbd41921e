"""The records of answers as they are hashed: what a citizen needs to make a receipt again.

The bytes are those of gateway/evidence.py and gateway/search_evidence.py with the two instants that
the commit appended; their SHA-256 is the receipt.
"""

from __future__ import annotations

import struct

from gateway import evidence, search_evidence
from gateway.store.export import Row

_INSTANTS = struct.Struct(">qq")


def of_question(row: Row) -> bytes:
    """The record of a question."""
    given = {name: row[name] for name in evidence.Record.__struct_fields__ if name in row}
    record = evidence.Record(
        **given | {"received_us": row["asked_at_us"], "party": row["party_num"]}
    )
    return evidence.head(record) + _instants(row)


def of_search(row: Row) -> bytes:
    """The record of a search."""
    given = {
        name: row[name] for name in search_evidence.SearchRecord.__struct_fields__ if name in row
    }
    own = {
        "received_us": row["asked_at_us"],
        "party": row["party_num"],
        "evaluated": tuple(row["evaluated"]),
        "found": tuple(row["found"]),
        "consents": tuple(identifier.bytes for identifier, _ in row["consents"]),
        "consent_versions": tuple(version for _, version in row["consents"]),
    }
    return search_evidence.head(search_evidence.SearchRecord(**given | own)) + _instants(row)


def _instants(row: Row) -> bytes:
    return _INSTANTS.pack(row["answered_at_us"], row["valid_until_us"])

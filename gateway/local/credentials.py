"""The demonstration's parties: registered once, each with a key pair that this machine keeps.

The private halves are thrown-away keys for scripts and players; the gateway itself gets the public
ones alone, through the same registration that an operator uses.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from gateway import onboarding
from gateway.client_keys import new_client_key
from gateway.local.places import write_private
from gateway.onboarding import PartyFile
from gateway.store import party as rows
from gateway.store.migrate import Connection

#: Client id → private JWK.
PrivateKeys = dict[str, dict[str, str]]


async def register(
    connection: Connection, parties: PartyFile, served: list[str], kept: Path
) -> PrivateKeys:
    """Register the parties that are not yet, and see that each one's key is in the file `kept`.

    `connection` is the owner's; `served` are the gateway's scenarios.
    """
    keys = _read(kept)
    for party in parties.party:
        if party.id not in keys:
            keys[party.id] = new_client_key().private
    # Written first: a key that is lost before it is registered would lock its party out.
    write_private(kept, msgspec.json.encode(keys).decode())
    known = {row.id: row.keys for row in await rows.everyone(connection)}
    new = [_with_key(party, keys[party.id]) for party in parties.party if party.id not in known]
    await onboarding.add(connection, msgspec.structs.replace(parties, party=new), served)
    for party in parties.party:
        if party.id in known and keys[party.id]["kid"] not in known[party.id]:
            # The file was lost or belongs to another database: the party gets its new key.
            public = msgspec.json.encode(_public(keys[party.id]))
            await onboarding.rotate_key(connection, party.id, public)
    return {party.id: keys[party.id] for party in parties.party}


def _with_key(party: onboarding.PartyForm, private: dict[str, str]) -> onboarding.PartyForm:
    public: dict[str, Any] = _public(private)
    return msgspec.structs.replace(party, keys=[public])


def _public(private: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in private.items() if name != "d"}


def _read(path: Path) -> PrivateKeys:
    if not path.exists():
        return {}
    return msgspec.json.decode(path.read_bytes(), type=PrivateKeys)

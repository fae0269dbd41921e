"""The region whose signed list of cities this city believes: its name and keys, pinned in a file.

The file is `{"iss": "https://…", "keys": [JWK, …]}`: the region's own `iss` as its lists spell it,
and the public keys that may sign them. It comes from the region by a way that people trust, never
from the network.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from gateway.claims import Kind, Name
from gateway.errors import GatewayError
from gateway.jwk import JwkRefused, Key, parse_jwks
from gateway.small_file import read_small
from gateway.wrong_member import in_words

_REMEDY = "ask the region for it and check it by voice"


class RegionRefused(GatewayError):
    """The file of the region's keys is not usable; the message says why and what to do."""


class Region(msgspec.Struct, frozen=True):
    """Who signs the list of cities; `find` is the guard's `Keys`."""

    iss: str
    keys: dict[str, Key]  # by kid

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        """The region's key for its list, and for nothing else."""
        if (kind, issuer) != (Kind.TRUST_LIST, self.iss):
            return None
        return self.keys.get(kid)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    iss: Name
    keys: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=16)]


def load_region(path: Path) -> Region:
    """The region of a key file.

    Raises:
        RegionRefused: the file is missing or is not one of a region's keys.
    """
    try:
        return parse_region(read_small(path))
    except OSError as fault:
        raise RegionRefused(
            f"QIANJIANG_TRUST_LIST_KEYS: {path} cannot be read ({fault.strerror}); {_REMEDY}"
        ) from None
    except RegionRefused as fault:
        raise RegionRefused(f"QIANJIANG_TRUST_LIST_KEYS: {path}: {fault}; {_REMEDY}") from None


def parse_region(raw: bytes) -> Region:
    """The region that a JSON text pins.

    Raises:
        RegionRefused: it is not `{"iss": …, "keys": [public JWK, …]}`.
    """
    try:
        file = msgspec.json.decode(raw, type=_File)
        keys = parse_jwks(msgspec.json.encode({"keys": file.keys}))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise RegionRefused(f"not a file of a region's keys: {in_words(fault)}") from None
    except JwkRefused as fault:
        raise RegionRefused(f"not usable keys: {fault}") from None
    # Others' sets may hold what we do not know. Of pinned keys each was meant.
    if len(keys) != len(file.keys):
        raise RegionRefused("a key that is not EC P-256 or Ed25519, public, for signatures")
    return Region(file.iss, keys)

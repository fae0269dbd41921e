"""This city's own entry for the region's list, from its keys and what it offers.

Pure. It is checked as every other city will check it before it leaves the house.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.claims import SchemeName
from gateway.jwk import Alg, Key, public_jwk
from gateway.keys import Keyring
from gateway.oauth.metadata import AUTHORIZE_PATH, PAR_PATH, TOKEN_PATH
from gateway.recognition.entry import (
    City,
    CityKey,
    Endpoints,
    Entry,
    EntryRefused,
    Operator,
    Purpose,
    Words,
    parse_entry,
)
from gateway.recognition.home_city import CALLBACK


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry says besides addresses and keys."""

    code: str
    issuer: str
    name: Words
    contact: str
    scenarios: Sequence[str]
    schemes: Sequence[SchemeName]
    operators: Sequence[Operator]


def own_entry(offer: Offer, keys: Keyring, *, allow_loopback_http: bool = False) -> City:
    """The entry, with every key that this city has for other cities.

    Raises:
        EntryRefused: others would refuse it; the message says why.
    """
    if not (keys.city_client and keys.city_grant and keys.city_status):
        raise EntryRefused(
            "the key file has no keys towards other cities: "
            "run `qianjiang cities rotate` for client, grant and status"
        )
    held: dict[Purpose, Any] = {
        "client": keys.city_client,
        "grant": keys.city_grant,
        "status": keys.city_status,
    }
    base = offer.issuer
    entry = Entry(
        code=offer.code,
        name=offer.name,
        contact=offer.contact,
        issuer=base,
        endpoints=Endpoints(
            par=base + PAR_PATH, authorize=base + AUTHORIZE_PATH, token=base + TOKEN_PATH
        ),
        redirect_uris=(base + CALLBACK,),
        scenarios=tuple(offer.scenarios),
        schemes=tuple(offer.schemes),
        keys=tuple(
            CityKey(purpose=purpose, jwk=public_jwk(Key(kid, Alg.ES256, key.public_key())))
            for purpose, signing in held.items()
            for kid, key in signing.items()
        ),
        operators=tuple(offer.operators),
    )
    return parse_entry(msgspec.json.encode(entry), allow_loopback_http=allow_loopback_http)

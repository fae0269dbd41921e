"""A party made for measurements: registered as an operator does it, with a key pair of its own."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import msgspec

from gateway import onboarding
from gateway.city import City
from gateway.claims import AssertionClaims, Kind
from gateway.client_keys import ClientKey, new_client_key, private_key
from gateway.clock import SECOND_US
from gateway.jose import sign
from gateway.onboarding import EntityForm, PartyFile, PartyForm
from gateway.tokens import SCOPE_PREFIX

MERCHANT = "scale-merchant"

#: Other recipients: citizens' further consents name them, and nobody asks for them.
OTHERS = 40

#: Seconds that an assertion is good for; the longest that the guard accepts.
ASSERTION_S = 300


class Shop(msgspec.Struct, frozen=True):
    """A registered party with its private key; `others` are the sectors of other recipients."""

    id: str
    key: ClientKey
    sector: int
    others: tuple[int, ...]

    @property
    def kid(self) -> str:
        """The name of its key."""
        return self.key.public["kid"]

    def token(self, city: City, scenarios: Sequence[str]) -> str:
        """An access token for some of its scenarios, issued in this process."""
        party = city.parties.get(self.id)
        assert party is not None, "registered before anybody asks"
        scopes = [SCOPE_PREFIX + scenario for scenario in scenarios]
        return city.tokens.issue(party, self.kid, scopes).token

    def assertion(self, city: City) -> tuple[str, str]:
        """A client assertion (RFC 7523) good for one token, and its `jti`."""
        now_s = city.clock.now_us() // SECOND_US
        claims = AssertionClaims(
            iss=self.id,
            sub=self.id,
            aud=city.settings.issuer,
            jti=city.ids.token(),
            iat=now_s,
            exp=now_s + ASSERTION_S,
        )
        return sign(Kind.ASSERTION, claims, self.kid, private_key(self.key.private)), claims.jti


async def register(
    city: City, owner: asyncpg.Connection[asyncpg.Record], scenarios: Sequence[str]
) -> Shop:
    """Register the shop for these scenarios, and the other recipients."""
    key = new_client_key()
    others = [f"scale-recipient-{number:02}" for number in range(OTHERS)]
    file = PartyFile(
        entity=[EntityForm(id=name, name=name, contact="desk") for name in (MERCHANT, *others)],
        party=[
            PartyForm(
                id=MERCHANT,
                entity=MERCHANT,
                kind="merchant",
                name=MERCHANT,
                scenarios=dict.fromkeys(scenarios, MERCHANT),
                keys=[dict(key.public)],
            )
        ],
    )
    await onboarding.add(owner, file, city.registry)
    await city.parties.refresh(force=True)
    query = "SELECT id, sector FROM legal_entity WHERE id = ANY ($1)"
    sectors = {row["id"]: row["sector"] for row in await owner.fetch(query, [MERCHANT, *others])}
    return Shop(MERCHANT, key, sectors[MERCHANT], tuple(sectors[name] for name in others))

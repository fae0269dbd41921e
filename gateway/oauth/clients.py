"""Client authentication: parties by the keys they registered, cities by those of the region's list.

An assertion is good once, at whichever endpoint it comes first; PostgreSQL decides, and says in the
same moment whether the client still stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from gateway.claims import AssertionClaims, Kind
from gateway.clock import SECOND_US, Clock
from gateway.counts import Counts
from gateway.forgeries import Forgeries
from gateway.jwk import JwkRefused, Key, parse_jwk
from gateway.oauth.assertions import ASSERTION_TYPE, Assertions, Denied, Proven
from gateway.oauth.errors import OAuthCode
from gateway.parties import Parties, Party
from gateway.recognition.entry import City
from gateway.recognition.trust import Trust
from gateway.settings import Settings
from gateway.store import party as rows
from gateway.store.database import Database

__all__ = ["ASSERTION_TYPE", "CityClient", "Client", "ClientAuthentication", "Denied"]

#: How long past its expiry a used assertion is remembered. Workers' and the database's clocks
#: differ by less, so what one may still accept the other has not yet forgotten.
MARGIN_S: Final = 60


class Client(msgspec.Struct, frozen=True):
    """A party that authenticated, with the name of its key."""

    party: Party
    kid: str


class CityClient(msgspec.Struct, frozen=True):
    """A city of the region's list that authenticated; `party` stands for it here.

    There is none for this city itself, which is a client of its own where visitors arrive.
    """

    code: str
    city: City
    kid: str
    party: Party | None


class ClientAuthentication:
    """Decides who is asking; one instance per worker."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        database: Database,
        parties: Parties,
        forgeries: Forgeries,
        counts: Counts,
        trust: Trust,
    ) -> None:
        self._own = settings.city
        self._database, self._parties, self._trust = database, parties, trust
        self._assertions = Assertions(settings, clock, forgeries, counts)
        self._of_parties = _OfParties(clock, parties)
        self._of_cities = _OfCities(trust)

    async def authenticate(self, form: Mapping[str, str], address: str) -> Client | Denied:
        """The party that a form's assertion proves, or why it does not.

        Raises:
            TooManyRequests, AbnormalUsage: as `Assertions.prove`.
            DependencyDown, Overloaded: PostgreSQL cannot decide on the assertion's single use.
        """
        proven = await self._assertions.prove(form, address, self._of_parties)
        return proven if isinstance(proven, Denied) else await self._party(proven)

    async def authenticate_city(self, form: Mapping[str, str], address: str) -> CityClient | Denied:
        """The city that a form's assertion proves, or why it does not; raises as `authenticate`."""
        proven = await self._assertions.prove(form, address, self._of_cities, of_city=True)
        return proven if isinstance(proven, Denied) else await self._city(proven)

    async def _party(self, proven: Proven) -> Client | Denied:
        """Use the assertion up, and see in the same moment that client and key still stand."""
        name = proven.claims.iss
        async with self._database.connection() as connection:
            revision = await rows.use_assertion(connection, name, *_once(proven.claims))
        if revision is None:
            return Denied(OAuthCode.INVALID_CLIENT, "replayed")
        party = self._parties.get(name)
        if party is None or party.row.revision != revision:
            # This worker's copy is old: a suspension or a rotation was acknowledged elsewhere.
            await self._parties.refresh(force=True)
            party = self._parties.get(name)
        if party is None or proven.key is None or self._of_parties.changed(proven):
            return Denied(OAuthCode.INVALID_CLIENT, "client-key-revoked")
        if not party.active:
            # Only one who proved to be the party learns that it is suspended.
            return Denied(OAuthCode.UNAUTHORIZED_CLIENT, "party-suspended")
        return Client(party, proven.kid)

    async def _city(self, proven: Proven) -> CityClient | Denied:
        """The same for a city; of its party the copy here may be old as well."""
        code = proven.claims.iss
        async with self._database.connection() as connection:
            revision = await rows.use_city_assertion(connection, code, *_once(proven.claims))
        if revision is None:
            return Denied(OAuthCode.INVALID_CLIENT, "replayed")
        city = self._trust.city(code)
        if city is None or proven.key is None or self._of_cities.changed(proven):
            return Denied(OAuthCode.INVALID_CLIENT, "city-key-revoked")
        if code == self._own:
            return CityClient(code, city, proven.kid, None)
        party = self._parties.of_city(code)
        if revision and (party is None or party.row.revision != revision):
            await self._parties.refresh(force=True)
            party = self._parties.of_city(code)
        if party is None or not party.active:
            return Denied(OAuthCode.UNAUTHORIZED_CLIENT, "no-party", code)
        return CityClient(code, city, proven.kid, party)


class _OfParties(msgspec.Struct, frozen=True):
    """The keys that parties registered."""

    clock: Clock
    parties: Parties

    def key(self, name: str, kid: str) -> Key | None:
        party = self.parties.get(name)
        held = party.row.keys.get(kid) if party else None
        if held is None or (held.until_us is not None and held.until_us <= self.clock.now_us()):
            return None
        return _key(held.jwk)

    def changed(self, proven: Proven) -> bool:
        """Whether the key that proved a client is another now, or none."""
        return self.key(proven.claims.iss, proven.kid) != proven.key

    async def refresh(self) -> None:
        await self.parties.refresh()


class _OfCities(msgspec.Struct, frozen=True):
    """The keys of the region's list, which are as fresh as the list itself."""

    trust: Trust

    def key(self, name: str, kid: str) -> Key | None:
        return self.trust.find(Kind.ASSERTION, name, kid)

    def changed(self, proven: Proven) -> bool:
        """Whether the key that proved a city is another now, or none."""
        return self.key(proven.claims.iss, proven.kid) != proven.key

    async def refresh(self) -> None:
        """Nothing: an unknown key is no reason to look for a newer list."""


def _once(claims: AssertionClaims) -> tuple[str, int]:
    """Under what an assertion's use is remembered, and until when (microseconds)."""
    return claims.jti, (claims.exp + MARGIN_S) * SECOND_US


@lru_cache(maxsize=4096)
def _key(jwk: str) -> Key | None:
    try:
        return parse_jwk(jwk.encode())
    except JwkRefused:
        return None

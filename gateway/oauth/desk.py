"""What the endpoints for cities share: who asks, whether it may, and what it was refused."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.limits import Limits
from gateway.oauth.clients import CityClient, ClientAuthentication, Denied
from gateway.oauth.errors import OAuthCode
from gateway.recognition.partners import Partner, Partners
from gateway.recognition.refusals import Refusals
from gateway.store.database import Database
from gateway.tokens import SCOPE_PREFIX


class CityDesk(msgspec.Struct, frozen=True):
    """Where cities are met; one instance per worker."""

    clients: ClientAuthentication
    partners: Partners
    limits: Limits
    refusals: Refusals
    database: Database

    async def partner(self, form: Mapping[str, str], address: str) -> Partner | Denied:
        """The partner that a form's assertion proves, its request counted against its limit.

        Raises:
            TooManyRequests, DependencyDown, Overloaded: as `ClientAuthentication` does.
            QuotaExceeded: the city's own limit is spent.
        """
        client = await self._client(form, address)
        return client if isinstance(client, Denied) else self._partner(client)

    async def bearer(self, form: Mapping[str, str], address: str) -> CityClient | Denied:
        """The city that may present a grant: this one itself, as its own client, or a partner, for
        whom none is; raises as `partner`."""
        client = await self._client(form, address)
        if isinstance(client, Denied) or client.party is None:
            return client
        partner = self._partner(client)
        return partner if isinstance(partner, Denied) else client

    def _partner(self, client: CityClient) -> Partner | Denied:
        partner = self.partners.of(client.code)
        if isinstance(partner, str):
            return Denied(OAuthCode.UNAUTHORIZED_CLIENT, partner, client.code)
        return partner

    async def _client(self, form: Mapping[str, str], address: str) -> CityClient | Denied:
        """The city of the list that a form's assertion proves, which may be this one itself."""
        client = await self.clients.authenticate_city(form, address)
        if not isinstance(client, Denied) and client.party is not None:
            await self.limits.charge(client.party)
        return client

    async def note(self, place: str, denied: Denied) -> Denied:
        """Count a refusal, and return it."""
        await self.refusals.note(place, denied.city, denied.reason)
        return denied


def scope_of(scenarios: tuple[str, ...]) -> str:
    """Scenarios as a scope."""
    return " ".join(SCOPE_PREFIX + each for each in scenarios)


def scenarios_of(scope: str) -> tuple[str, ...] | None:
    """The scenarios of a scope in which each is named once, or None where it says else."""
    names = tuple(each.removeprefix(SCOPE_PREFIX) for each in scope.split(" "))
    once = len(set(names)) == len(names)
    return names if once and all(names) and scope_of(names) == scope else None

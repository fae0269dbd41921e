"""The citizen arrives with another city's request: opened once, and signed in afresh for it.

Until it is certain where an answer may be sent, what is wrong is told to the citizen and to nobody
else (RFC 6749 4.1.2.1, RFC 9700 4.11); afterwards it goes back to the city, with this city's issuer
beside it (RFC 9207). Who signs in for a request is the only one who ever sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from gateway.errors import AuthorizationRefused, DependencyDown
from gateway.oauth.errors import OAuthCode
from gateway.oauth.pushed import URI_PREFIX
from gateway.oidc import ATTEMPT_LIFE_S, Oidc
from gateway.recognition.partners import Partners
from gateway.recognition.refusals import Refusals
from gateway.recognition.trust import Trust
from gateway.sessions import hash_of
from gateway.settings import Settings
from gateway.store import recognition_request as rows
from gateway.store.database import Database
from gateway.store.recognition_request import PushedRequest

#: The citizen's page of a request.
PAGE: Final = "/app/recognition/"

_NAMED: Final = {"client_id", "request_uri"}
_PLACE: Final = "authorize"


class Sent(msgspec.Struct, frozen=True):
    """Where the browser goes, and the cookie of the login where it goes to sign in."""

    address: str
    login: str | None = None


class Authorization:
    """Opens requests; one instance per worker."""

    def __init__(
        self,
        *,
        settings: Settings,
        trust: Trust,
        partners: Partners,
        oidc: Oidc,
        refusals: Refusals,
        database: Database,
    ) -> None:
        self._issuer, self._trust, self._partners = settings.issuer, trust, partners
        self._oidc, self._refusals, self._database = oidc, refusals, database

    async def open(self, asked: Mapping[str, str]) -> Sent:
        """Where a browser that comes with these parameters is sent.

        Raises:
            AuthorizationRefused: this is no request that can be answered to anybody.
            DependencyDown, Overloaded: it cannot be looked up.
        """
        try:
            return await self._opened(asked)
        except AuthorizationRefused as refusal:
            await self._refusals.note(_PLACE, "", refusal.reason)
            raise

    async def bind(self, request: UUID, citizen: UUID, session: bytes) -> None:
        """Give an opened request to the session that was just begun by signing in for it."""
        async with self._database.connection() as connection:
            await rows.bind(connection, request, citizen, session)

    async def _opened(self, asked: Mapping[str, str]) -> Sent:
        code, held = await self._held(asked)
        partner = self._partners.of(code)
        if isinstance(partner, str):
            await self._refusals.note(_PLACE, code, partner)
            return await self._turned_away(held, OAuthCode.UNAUTHORIZED_CLIENT)
        try:
            login = await self._oidc.start(PAGE + str(held.id), request=held.id)
        except DependencyDown:
            return await self._turned_away(held, OAuthCode.TEMPORARILY_UNAVAILABLE)
        async with self._database.connection() as connection:
            if not await rows.opened(connection, held.id, ATTEMPT_LIFE_S):
                raise AuthorizationRefused("used")
        return Sent(*login)

    async def _held(self, asked: Mapping[str, str]) -> tuple[str, PushedRequest]:
        # What was pushed counts; anything beside it could only contradict it (RFC 9126 4).
        if asked.keys() != _NAMED:
            raise AuthorizationRefused("parameters")
        code, uri = asked["client_id"], asked["request_uri"]
        city = self._trust.city(code)
        if city is None:
            raise AuthorizationRefused("client")
        async with self._database.connection() as connection:
            held = await rows.pushed(connection, hash_of(uri.removeprefix(URI_PREFIX)), code)
        if held is None or not uri.startswith(URI_PREFIX):
            raise AuthorizationRefused("unknown")
        if held.redirect_uri not in city.entry.redirect_uris:
            raise AuthorizationRefused("redirect-uri")
        return code, held

    async def _turned_away(self, held: PushedRequest, code: OAuthCode) -> Sent:
        async with self._database.connection() as connection:
            if not await rows.turn_away(connection, held.id):
                raise AuthorizationRefused("used")
        return Sent(answer_to(held.redirect_uri, self._issuer, held.state, error=code.value))


def answer_to(redirect_uri: str, issuer: str, state: str, **answer: str) -> str:
    """The address that takes an answer back to a city (RFC 6749 4.1.2, RFC 9207 2).

    A redirect URI of the region's list has no query of its own.
    """
    return f"{redirect_uri}?{urlencode({**answer, 'state': state, 'iss': issuer})}"

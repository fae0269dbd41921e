"""Pushed authorization requests (RFC 9126): another city asks to recognise one of our citizens.

Everything that the answer will depend on is fixed here, by a client that proved itself; what passes
through the citizen's browser afterwards is a reference that is good once, for a minute and a half.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from gateway.ids import Ids
from gateway.oauth.clients import Denied
from gateway.oauth.desk import CityDesk, scenarios_of
from gateway.oauth.errors import OAuthCode
from gateway.recognition.partners import Partner
from gateway.sessions import hash_of
from gateway.store import recognition_request as rows
from gateway.store.recognition_request import NewRequest

#: How long a pushed request may wait to be opened, in seconds.
LIFE_S: Final = 90
URI_PREFIX: Final = "urn:ietf:params:oauth:request_uri:"

_STATE = re.compile(r"\A[\x21-\x7e]{16,128}\Z")
#: SHA-256 in base64url: a code challenge (RFC 7636 4.2) or a key's thumbprint (RFC 7638).
_HASH = re.compile(r"\A[A-Za-z0-9_-]{43}\Z")
#: Requests by reference or as objects cannot be pushed (RFC 9126 2.1; RFC 9101 is not spoken).
_NEVER: Final = ("request_uri", "request")


class Pushed(msgspec.Struct, frozen=True):
    """The successful answer (RFC 9126 2.2)."""

    request_uri: str
    expires_in: int


class PushedRequests:
    """Takes requests in; one instance per worker."""

    def __init__(self, desk: CityDesk, ids: Ids) -> None:
        self._desk, self._ids = desk, ids

    async def answer(self, form: Mapping[str, str], address: str) -> Pushed | Denied:
        """The reference to a request; a refusal is counted with its reason.

        Raises: as `CityDesk.partner`.
        """
        partner = await self._desk.partner(form, address)
        if isinstance(partner, Denied):
            return await self._desk.note("par", partner)
        scenarios = _checked(form, partner)
        if isinstance(scenarios, Denied):
            return await self._desk.note("par", scenarios)
        handle = self._ids.token()
        request = NewRequest(
            id=self._ids.random_uuid(),
            uri_hash=hash_of(handle),
            party=partner.party.row.num,
            redirect_uri=form["redirect_uri"],
            scenarios=scenarios,
            state=form["state"],
            code_challenge=form["code_challenge"],
            jkt=form["cnf_jkt"],
        )
        async with self._desk.database.connection() as connection:
            await rows.push(connection, request, LIFE_S)
        return Pushed(URI_PREFIX + handle, LIFE_S)


def _checked(form: Mapping[str, str], partner: Partner) -> tuple[str, ...] | Denied:
    """The scenarios of a request that is right in every part."""

    def denied(code: OAuthCode, reason: str) -> Denied:
        return Denied(code, reason, partner.code)

    if any(name in form for name in _NEVER):
        return denied(OAuthCode.INVALID_REQUEST, "request-object")
    if form.get("client_id") != partner.code:
        return denied(OAuthCode.INVALID_REQUEST, "client-id")
    if form.get("response_type") != "code":
        known = "response_type" in form
        wrong = OAuthCode.UNSUPPORTED_RESPONSE_TYPE if known else OAuthCode.INVALID_REQUEST
        return denied(wrong, "response-type")
    if form.get("response_mode", "query") != "query":
        return denied(OAuthCode.INVALID_REQUEST, "response-mode")
    # Character by character (RFC 9700 2.1): a prefix or a pattern would be somebody's way in.
    if form.get("redirect_uri") not in partner.city.entry.redirect_uris:
        return denied(OAuthCode.INVALID_REQUEST, "redirect-uri")
    if not _STATE.match(form.get("state", "")):
        return denied(OAuthCode.INVALID_REQUEST, "state")
    if form.get("code_challenge_method") != "S256":  # `plain` is the default, and is none
        return denied(OAuthCode.INVALID_REQUEST, "pkce-method")
    if not _HASH.match(form.get("code_challenge", "")):
        return denied(OAuthCode.INVALID_REQUEST, "pkce")
    if not _HASH.match(form.get("cnf_jkt", "")):
        return denied(OAuthCode.INVALID_REQUEST, "key")
    scenarios = scenarios_of(form.get("scope", ""))
    if scenarios is None or not partner.scenarios.issuperset(scenarios):
        return denied(OAuthCode.INVALID_SCOPE, "scope")
    return scenarios

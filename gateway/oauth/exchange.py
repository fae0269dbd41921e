"""Grant type token exchange: a city gets this city's word on its citizen (RFC 8693).

The subject token is what a code bought; what comes back is a grant that the visited city's own
token endpoint takes (RFC 7523, draft-ietf-oauth-identity-chaining), and no token for anything here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.credential import Headers
from gateway.oauth.clients import Denied
from gateway.oauth.desk import CityDesk, scenarios_of, scope_of
from gateway.oauth.errors import OAuthCode
from gateway.oauth.token import Granted
from gateway.recognition.grants import Grants, Issued
from gateway.recognition.partners import Partner
from gateway.sessions import hash_of
from gateway.store import recognition_request as rows
from gateway.store.recognition_request import Taken

TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105  # a name
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  # a name
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"

#: One citizen, one city: nobody acts for another here (RFC 8693 2.1).
_NEVER: Final = ("actor_token", "actor_token_type", "resource")


class ExchangeGrant:
    """Exchanges tokens for grants; one instance per worker."""

    def __init__(self, desk: CityDesk, grants: Grants) -> None:
        self._desk, self._grants = desk, grants

    async def answer(
        self, form: Mapping[str, str], address: str, _headers: Headers
    ) -> Granted | Denied:
        """See `GrantType`; the grant lives a minute, and its `token_type` is `N_A`."""
        partner = await self._desk.partner(form, address)
        if isinstance(partner, Denied):
            return await self._desk.note("exchange", partner)
        answer = _fault(form, partner) or await self._taken(form, partner)
        return await self._desk.note("exchange", answer) if isinstance(answer, Denied) else answer

    async def _taken(self, form: Mapping[str, str], partner: Partner) -> Granted | Denied:
        async with self._desk.database.connection() as connection:
            token_hash = hash_of(form["subject_token"])
            taken = await rows.take(connection, token_hash, partner.party.row.num)
        if taken is None:
            return Denied(OAuthCode.INVALID_GRANT, "subject-token", partner.code)
        return await self._exchanged(form, partner, taken)

    async def _exchanged(
        self, form: Mapping[str, str], partner: Partner, taken: Taken
    ) -> Granted | Denied:
        wanted = tuple(taken.scenarios)
        if "scope" in form:
            narrower = scenarios_of(form["scope"])
            if narrower is None or not set(narrower) <= set(wanted):
                return Denied(OAuthCode.INVALID_SCOPE, "scope", partner.code)
            wanted = narrower
        issued = await self._grants.issue(partner, taken, wanted)
        if not isinstance(issued, Issued):
            return Denied(OAuthCode.INVALID_GRANT, issued, partner.code)
        scope = scope_of(issued.scenarios)
        return Granted(issued.grant, "N_A", issued.expires_in, scope, issued_token_type=JWT)


def _fault(form: Mapping[str, str], partner: Partner) -> Denied | None:
    """What is wrong with a request before its token is looked at."""

    def denied(code: OAuthCode, reason: str) -> Denied:
        return Denied(code, reason, partner.code)

    if any(name in form for name in _NEVER):
        code = OAuthCode.INVALID_TARGET if "resource" in form else OAuthCode.INVALID_REQUEST
        return denied(code, "parameters")
    if "subject_token" not in form or form.get("subject_token_type") != ACCESS_TOKEN:
        return denied(OAuthCode.INVALID_REQUEST, "subject-token-type")
    if form.get("requested_token_type", JWT) != JWT:
        return denied(OAuthCode.INVALID_REQUEST, "requested-token-type")
    # A grant for another city than the one that asks is nobody's to carry.
    if form.get("audience") != partner.city.entry.issuer:
        return denied(OAuthCode.INVALID_TARGET, "audience")
    return None

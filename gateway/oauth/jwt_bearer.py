"""A home city's word as an authorization grant (RFC 7523 2.1), by the city's own client.

The visited city's page presents it by a route of its own; an application apart from the gateway
presents it here, with the client's assertion, the secret of the visit's attempt and the proof. What
accepts it is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.credential import Headers
from gateway.oauth.clients import Denied
from gateway.oauth.desk import CityDesk
from gateway.oauth.errors import OAuthCode
from gateway.oauth.token import Granted
from gateway.recognition.acceptance import TOKEN_LIFE_S, Acceptance, Accepted
from gateway.recognition.presentation import Presented
from gateway.tokens import SCOPE_PREFIX

JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class JwtBearer:
    """The grant type; one instance per worker."""

    def __init__(self, desk: CityDesk, acceptance: Acceptance) -> None:
        self._desk, self._acceptance = desk, acceptance

    async def answer(
        self, form: Mapping[str, str], address: str, headers: Headers
    ) -> Granted | Denied:
        """See `GrantType`.

        Raises:
            as `CityDesk.bearer` and `Acceptance.accept`.
        """
        if "assertion" not in form or "visit" not in form:
            return Denied(OAuthCode.INVALID_REQUEST, "assertion")
        client = await self._desk.bearer(form, address)
        if isinstance(client, Denied):
            return await self._desk.note("visit", client)
        presented = Presented(client.code, form["visit"], headers, form["assertion"])
        answer = await self._acceptance.accept(presented)
        return answer if isinstance(answer, Denied) else visit_granted(answer)


def visit_granted(accepted: Accepted) -> Granted:
    """What a visitor's page gets: an opaque token bound to its key (RFC 9449 5)."""
    scope = " ".join(sorted(SCOPE_PREFIX + each for each in accepted.scenarios))
    return Granted(accepted.token, "DPoP", TOKEN_LIFE_S, scope)

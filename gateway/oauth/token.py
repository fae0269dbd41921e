"""The token endpoint: a table of grant types, each of which says who may ask and what comes of it.

Here is the oldest of them, by which parties get their tokens (RFC 6749 4.4, 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec
import structlog

from gateway.credential import Headers
from gateway.dpop import Proof, Wanted, error_of
from gateway.jose import Refused
from gateway.limits import Limits
from gateway.oauth.clients import Client, ClientAuthentication, Denied
from gateway.oauth.errors import OAuthCode
from gateway.parties import Party
from gateway.proofs import Proofs
from gateway.tokens import SCOPE_PREFIX, AccessTokens

CLIENT_CREDENTIALS: Final = "client_credentials"

_log = structlog.get_logger(__name__)


class Granted(msgspec.Struct, frozen=True, omit_defaults=True):
    """The successful answer (RFC 6749 5.1); of an exchange with its kind (RFC 8693 2.2.1)."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    issued_token_type: str | None = None


class GrantType(Protocol):
    """One way to get a token."""

    async def answer(
        self, form: Mapping[str, str], address: str, headers: Headers
    ) -> Granted | Denied:
        """The answer to a request of this type, from this address, with these header fields."""
        ...


class TokenEndpoint:
    """Sends a request to its grant type; one instance per worker."""

    def __init__(self, grants: Mapping[str, GrantType]) -> None:
        self._grants = dict(grants)

    @property
    def grant_types(self) -> list[str]:
        """What is served, by the names that requests use."""
        return list(self._grants)

    async def answer(
        self, form: Mapping[str, str], address: str, headers: Headers = ()
    ) -> Granted | Denied:
        """The answer to a token request; a refusal leaves its reason in the log.

        Raises:
            TooManyRequests, DependencyDown, Overloaded: as `ClientAuthentication` does.
            QuotaExceeded: the party's own limit is spent.
        """
        answer = await self._answer(form, address, headers)
        if isinstance(answer, Denied):
            _log.info("token_denied", code=answer.code.value, reason=answer.reason)
        return answer

    async def _answer(
        self, form: Mapping[str, str], address: str, headers: Headers
    ) -> Granted | Denied:
        wanted = form.get("grant_type")
        if wanted is None:
            return Denied(OAuthCode.INVALID_REQUEST, "grant-type")
        grant = self._grants.get(wanted)
        if grant is None:
            return Denied(OAuthCode.UNSUPPORTED_GRANT_TYPE, "grant-type")
        return await grant.answer(form, address, headers)


class ClientCredentials:
    """Turns a party's credentials into a token; one instance per worker.

    Args:
        wanted: what a DPoP proof must say at this address.
    """

    def __init__(
        self,
        clients: ClientAuthentication,
        tokens: AccessTokens,
        limits: Limits,
        proofs: Proofs,
        wanted: Wanted,
    ) -> None:
        self._proofs, self._wanted = proofs, wanted
        self._clients = clients
        self._tokens = tokens
        self._limits = limits

    async def answer(
        self, form: Mapping[str, str], address: str, headers: Headers
    ) -> Granted | Denied:
        """See `GrantType`."""
        client = await self._clients.authenticate(form, address)
        if isinstance(client, Denied):
            return client
        # Only now is it known whose limit this is: nobody can use up a stranger's.
        await self._limits.charge(client.party)
        scopes = scopes_of(client.party, form.get("scope"))
        if not scopes:
            return Denied(OAuthCode.INVALID_SCOPE, "scope")
        key = await self._proven(client.party, headers)
        return key if isinstance(key, Denied) else self._granted(client, scopes, key)

    async def _proven(self, party: Party, headers: Headers) -> str | Denied | None:
        """The thumbprint of the key to bind a token to, None for a Bearer token (RFC 9449 5)."""
        if not party.row.dpop and all(name != b"dpop" for name, _ in headers):
            return None
        proof = await self._proofs.accept(headers, self._wanted, f"proof {party.row.id}")
        return proof.jkt if isinstance(proof, Proof) else proof_denied(proof)

    def _granted(self, client: Client, scopes: frozenset[str], jkt: str | None) -> Granted:
        issued = self._tokens.issue(client.party, client.kid, scopes, jkt)
        kind = "Bearer" if jkt is None else "DPoP"
        return Granted(issued.token, kind, issued.expires_in, " ".join(sorted(scopes)))


def proof_denied(refused: Refused) -> Denied:
    """What a client reads whose DPoP proof is refused."""
    return Denied(OAuthCode(error_of(refused.reason)), f"proof-{refused.reason.value}")


def scopes_of(party: Party, asked: str | None) -> frozenset[str]:
    """What a party gets of what it asks for: all of that or, asking for nothing, all it may have.

    Empty where it asks for anything that it is not registered for: a narrower token than asked
    for would fail later, where the cause is harder to see.
    """
    registered = frozenset(SCOPE_PREFIX + scenario for scenario in party.registrations)
    if asked is None:
        return registered
    wanted = frozenset(asked.split(" "))
    return wanted if wanted <= registered else frozenset()

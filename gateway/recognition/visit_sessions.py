"""From the token to the session: the visitor's key is proven once more, and the token is used up.

The token is opaque, bound to that key (RFC 9449) and kept as its hash; the session is a citizen's
like any other, so everything a citizen may do here a visitor may.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.credential import Headers
from gateway.dpop import Wanted, error_of
from gateway.errors import ProofRefused
from gateway.jose import Refused
from gateway.proofs import Proofs
from gateway.recognition.refusals import Refusals
from gateway.sessions import Sessions, hash_of
from gateway.settings import Settings
from gateway.store import visit as rows
from gateway.store.database import Database

SESSION_PATH: Final = "/v1/visits/session"

_CREDENTIAL = re.compile(rb"\A(?i:dpop) ([A-Za-z0-9_-]{32})\Z")


class VisitSessions:
    """Begins visitors' sessions; one instance per worker."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        proofs: Proofs,
        sessions: Sessions,
        refusals: Refusals,
    ) -> None:
        self._url, self._nonce = settings.issuer + SESSION_PATH, settings.dpop_nonce_required
        self._database, self._proofs = database, proofs
        self._sessions, self._refusals = sessions, refusals
        self._shown: set[bytes] = set()

    async def begin(self, headers: Headers, *, instead_of: str | None) -> str:
        """A session's identifier, for the cookie, in exchange for the token of a request.

        Raises:
            ProofRefused: no token, one that is not good, or no proof of its key.
            AbnormalUsage, DependencyDown, Overloaded: as `Proofs.accept`.
        """
        token = _token(headers)
        if token is None:
            raise await self._refused("no-token", "invalid_token")
        name = hash_of(token)
        if name in self._shown:
            # As of attempts (gateway/recognition/acceptance.py): one at a time, and only once.
            raise await self._refused("token", "invalid_token")
        self._shown.add(name)
        try:
            return await self._begun(headers, token, instead_of)
        finally:
            self._shown.discard(name)

    async def _begun(self, headers: Headers, token: str, instead_of: str | None) -> str:
        name = hash_of(token)
        async with self._database.connection() as connection:
            jkt = await rows.token_key(connection, name)
        if jkt is None:
            raise await self._refused("token", "invalid_token")
        wanted = Wanted(
            method="POST", url=self._url, access_token=token, jkt=jkt, nonce=self._nonce
        )
        proof = await self._proofs.accept(headers, wanted, f"visit {name.hex()}")
        if isinstance(proof, Refused):
            raise await self._refused(f"proof-{proof.reason.value}", error_of(proof.reason))
        async with self._database.transaction() as connection:
            citizen = await rows.use_token(connection, name)
            if citizen is not None:
                return await self._sessions.begin_within(connection, citizen, instead_of=instead_of)
        raise await self._refused("token", "invalid_token")

    async def _refused(self, reason: str, error: str) -> ProofRefused:
        await self._refusals.note("visit-session", "", reason)
        nonce = self._proofs.nonce() if error == "use_dpop_nonce" else None
        return ProofRefused(reason, error, nonce)


def _token(headers: Headers) -> str | None:
    sent = [value for name, value in headers if name == b"authorization"]
    found = _CREDENTIAL.match(sent[0]) if len(sent) == 1 else None
    return found[1].decode("ascii") if found else None

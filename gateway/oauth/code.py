"""Grant type `authorization_code`: a city redeems what its visitor brought back (RFC 6749 4.1.3).

One statement decides who is first. A code that comes a second time has leaked, so what came of it
is made void (RFC 6749 10.5); one that its own client tries wrongly is spent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from gateway.credential import Headers
from gateway.ids import Ids
from gateway.keys import b64url
from gateway.oauth.clients import Denied
from gateway.oauth.desk import CityDesk, scope_of
from gateway.oauth.errors import OAuthCode
from gateway.oauth.token import Granted
from gateway.recognition.partners import Partner
from gateway.sessions import hash_of
from gateway.standing import StandingWriter
from gateway.store import recognition as recognition_rows
from gateway.store import recognition_request as rows
from gateway.store.recognition_request import CodeUse

AUTHORIZATION_CODE: Final = "authorization_code"

#: How long the token that a code buys may wait to be exchanged, in seconds.
TOKEN_LIFE_S: Final = 60

_VERIFIER = re.compile(r"\A[A-Za-z0-9._~-]{43,128}\Z")


class CodeGrant:
    """Redeems codes; one instance per worker."""

    def __init__(self, desk: CityDesk, writer: StandingWriter, ids: Ids) -> None:
        self._desk, self._writer, self._ids = desk, writer, ids

    async def answer(
        self, form: Mapping[str, str], address: str, _headers: Headers
    ) -> Granted | Denied:
        """See `GrantType`; the token is opaque, and good for one exchange."""
        partner = await self._desk.partner(form, address)
        if isinstance(partner, Denied):
            return await self._desk.note("code", partner)
        answer = await self._redeemed(form, partner)
        return await self._desk.note("code", answer) if isinstance(answer, Denied) else answer

    async def _redeemed(self, form: Mapping[str, str], partner: Partner) -> Granted | Denied:
        if not {"code", "redirect_uri", "code_verifier"} <= form.keys():
            return Denied(OAuthCode.INVALID_REQUEST, "parameters", partner.code)
        verifier, token = form["code_verifier"], self._ids.token()
        challenge = b64url(hashlib.sha256(verifier.encode()).digest())
        code_hash, own = hash_of(form["code"]), partner.party.row.num
        async with self._desk.database.connection() as connection:
            scenarios = None
            if _VERIFIER.match(verifier):
                scenarios = await rows.redeem(
                    *(connection, code_hash, own, form["redirect_uri"], challenge),
                    token_hash=hash_of(token),
                    life_s=TOKEN_LIFE_S,
                )
            used = await rows.of_code(connection, code_hash) if scenarios is None else None
        if scenarios is None:
            reason = await self._misused(used, own)
            return Denied(OAuthCode.INVALID_GRANT, reason, partner.code)
        return Granted(token, "Bearer", TOKEN_LIFE_S, scope_of(tuple(scenarios)))

    async def _misused(self, used: CodeUse | None, own: int) -> str:
        """Why a code bought nothing, and what follows for the code."""
        if used is None:
            return "unknown-code"
        if used.party != own:
            return "code-of-another"
        async with self._desk.database.connection() as connection:
            if used.status == "allowed" and await rows.spoil(connection, used.id):
                return "code-expired" if used.over else "code-mismatch"
            # Redeemed before, or in this very moment: it has come twice.
            standing = await rows.void(connection, used.id)
        if standing is not None:
            async with self._writer.change(used.citizen, closed_too=True) as connection:
                await recognition_rows.end_one(connection, standing, "code-replayed")
        return "code-replayed"

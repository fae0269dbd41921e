"""Access tokens of parties: made here, and recognised here on every request (RFC 9068, RFC 6750).

A token that is bound to a key (RFC 9449) never passes as a Bearer token, nor a Bearer token as a
bound one: each scheme has its own method, and that of bound tokens names the key still to be
proven (gateway/edge/caller.py).

A token is verified once and then found by the SHA-256 of its whole text, signature included:
keyed by less, a genuine token once seen would vouch for a forged signature. What may have changed
since is looked at on each hit: the time, and the party. The copy of the party may itself be a
moment old; a decision rests on the commit, which compares the party's revision with PostgreSQL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

from gateway.claims import AccessClaims, Confirmation, Kind
from gateway.clock import SECOND_US, Clock
from gateway.counts import Counts
from gateway.credential import BEARER, DPOP, Headers, credential
from gateway.errors import Unauthenticated
from gateway.forgeries import Forgeries
from gateway.ids import Ids
from gateway.jose import Reason, Refused, sign, token_key, verify
from gateway.jwk import Alg, Key, unb64url
from gateway.keys import Keyring
from gateway.parties import Parties, Party, Principal
from gateway.settings import Settings
from gateway.token_marks import NONCE, TokenMarks

#: Verified tokens remembered by a worker, about 1 KB each; the oldest goes first.
REMEMBERED: Final = 10_000

#: Every scope is the right to ask about one scenario.
SCOPE_PREFIX: Final = "scenario:"

_decode_claims = msgspec.json.Decoder(AccessClaims).decode


class PartyNewer(Unauthenticated):
    """The token was issued at a revision of its party that this worker has not loaded yet."""


class Issued(msgspec.Struct, frozen=True):
    """A fresh token and the seconds it is good for."""

    token: str
    expires_in: int


class BoundToken(msgspec.Struct, frozen=True):
    """A token under the scheme DPoP. It proves nobody until the key of `jkt` is proven as well."""

    compact: str
    principal: Principal
    jkt: str


class AccessTokens:
    """Issues and recognises the access tokens of one city.

    Args:
        keys: every signing key verifies, the newest one signs.
        settings: the issuer, which is the audience as well, and the tokens' life.
    """

    def __init__(
        self,
        keys: Keyring,
        settings: Settings,
        clock: Clock,
        ids: Ids,
        parties: Parties,
        forgeries: Forgeries,
        counts: Counts | None = None,
    ) -> None:
        self._kid, self._signer = keys.token_kid, keys.token_signing[keys.token_kid]
        self._own = {
            kid: Key(kid, Alg.ES256, key.public_key()) for kid, key in keys.token_signing.items()
        }
        self._issuer, self._ttl_s = settings.issuer, settings.token_ttl_s
        self._clock, self._ids, self._parties = clock, ids, parties
        self._forgeries = forgeries
        self._marks = TokenMarks(keys.link)
        self._counts = counts or Counts(clock)
        self._seen: dict[bytes, Principal] = {}

    @property
    def public_keys(self) -> list[Key]:
        """The keys under which others may verify our tokens, for the published set."""
        return list(self._own.values())

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        """The key of an access token that names us as its issuer: the guard's registry."""
        return self._own.get(kid) if kind is Kind.ACCESS and issuer == self._issuer else None

    def issue(
        self, party: Party, kid: str, scopes: Iterable[str], jkt: str | None = None
    ) -> Issued:
        """A token for a party that authenticated with its key `kid`, for these scopes, bound to
        the key whose thumbprint is `jkt` where there is one."""
        now_s = self._clock.now_us() // SECOND_US
        # A cut-off lies on a whole second just ahead of the act that set it. This token is
        # younger than the act, whatever its worker's clock says, and must not fall under it.
        issued_s = max(now_s, -(-party.row.tokens_not_before_us // SECOND_US))
        expires_s, nonce = issued_s + self._ttl_s, self._ids.random_bytes(NONCE)
        claims = AccessClaims(
            iss=self._issuer,
            aud=self._issuer,
            sub=party.row.id,
            client_id=party.row.id,
            jti=self._marks.jti(nonce, party.row.id, issued_s, expires_s),
            iat=issued_s,
            exp=expires_s,
            scope=" ".join(sorted(scopes)),
            ckid=kid,
            prv=party.row.revision,
            cnf=msgspec.UNSET if jkt is None else Confirmation(jkt=jkt),
        )
        return Issued(sign(Kind.ACCESS, claims, self._kid, self._signer), self._ttl_s)

    def authenticate(self, headers: Headers) -> Principal:
        """The party whose Bearer token the request's header fields carry, in microseconds.

        Raises:
            Unauthenticated: there is no token, more than one, or not a good one.
            AbnormalUsage: too many forgeries came in its name; it was not looked at.
            PartyNewer: good, as far as this worker can tell; `admit` finds out.
            Forbidden: the party is suspended or closed.
        """
        principal = self._found(credential(headers, BEARER))
        if principal.jkt is not None:
            raise Unauthenticated("bound")  # RFC 9449 7.2: it is good with its proof alone
        return principal

    def authenticate_bound(self, headers: Headers) -> BoundToken:
        """The token that the request's header fields carry under the scheme DPoP.

        Raises:
            Unauthenticated, AbnormalUsage, PartyNewer, Forbidden: as `authenticate`.
        """
        compact = credential(headers, DPOP)
        principal = self._found(compact)
        if principal.jkt is None:
            raise Unauthenticated("unbound")  # any key at all would prove it
        return BoundToken(compact, principal, principal.jkt)

    def _found(self, compact: str) -> Principal:
        name = token_key(compact)
        principal, result = self._seen.get(name), "remembered"
        if principal is None:
            principal = self._remember(name, self._verified(compact))
            result = "verified"
        elif self._parties.get(principal.party.row.id) is not principal.party:
            # The party was loaded again since: the token must be good under what it is now.
            del self._seen[name]
            principal = self._remember(name, self._parties.readmit(principal))
        if principal.expires_us <= self._clock.now_us():
            del self._seen[name]
            self._counts.token("refused")
            raise Unauthenticated("expired")
        self._counts.token(result)
        return principal

    def recognise(self, authorization: bytes | None) -> Principal | None:
        """The party of a token that was verified before and is still good; None says nothing.

        Args:
            authorization: the one Authorization field of the request.
        """
        if authorization is None or authorization[:7] != b"Bearer ":
            return None
        principal = self._seen.get(hashlib.sha256(authorization[7:]).digest())
        if (
            principal is None
            or principal.expires_us <= self._clock.now_us()
            or self._parties.get(principal.party.row.id) is not principal.party
            or principal.jkt is not None  # it needs its proof, and another scheme
        ):
            return None
        self._counts.token_checks["remembered",] += 1
        return principal

    async def admit(self, headers: Headers) -> Principal:
        """As `authenticate`, after loading a party that was registered or changed just now.

        A token bought from one worker is good at the next, though that one's copy of the parties
        is a second behind. Only a token that we signed ourselves ever causes the load.
        """
        try:
            return self.authenticate(headers)
        except PartyNewer:
            await self._parties.refresh()
            return self.authenticate(headers)

    async def admit_bound(self, headers: Headers) -> BoundToken:
        """As `authenticate_bound`, after loading a party as `admit` does."""
        try:
            return self.authenticate_bound(headers)
        except PartyNewer:
            await self._parties.refresh()
            return self.authenticate_bound(headers)

    def _verified(self, compact: str) -> Principal:
        answer = verify(
            compact,
            Kind.ACCESS,
            self,
            issuer=self._issuer,
            audience=self._issuer,
            now_us=self._clock.now_us(),
            tolerates=lambda claims: self._forgeries.tolerates(*self._marks.claimant(claims)),
        )
        if isinstance(answer, Refused):
            self._counts.token("refused")
            if answer.reason is Reason.SHED:
                raise self._forgeries.refusal()
            if answer.reason is Reason.SIGNATURE:
                payload = unb64url(compact.split(".")[1])
                self._forgeries.failed(*self._marks.claimant(_decode_claims(payload)))
            raise Unauthenticated(answer.reason.value)
        claims = answer.claims
        assert isinstance(claims, AccessClaims), "the guard decodes each kind to its own claims"
        party = self._parties.get(claims.client_id)
        if party is None or party.row.revision < claims.prv:
            raise PartyNewer("party-newer")
        return self._parties.readmit(
            Principal(
                party=party,
                kid=claims.ckid,
                issued_us=claims.iat * SECOND_US,
                expires_us=claims.exp * SECOND_US,
                scopes=frozenset(claims.scope.split()),
                jkt=None if claims.cnf is msgspec.UNSET else claims.cnf.jkt,
            )
        )

    def _remember(self, name: bytes, principal: Principal) -> Principal:
        if len(self._seen) >= REMEMBERED:
            # Dictionaries keep insertion order, so the first is the oldest. Memory is bounded
            # however many tokens are issued; one that was dropped is simply verified again.
            del self._seen[next(iter(self._seen))]
        self._seen[name] = principal
        return principal

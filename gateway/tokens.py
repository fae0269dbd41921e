"""Access tokens of parties: made here, and recognised here on every request (RFC 9068, RFC 6750).

A token that is bound to a key (RFC 9449) never passes as a Bearer token, nor a Bearer token as a
bound one: each scheme has its own method, and that of bound tokens names the key still to be
proven (gateway/edge/caller.py).

A token is verified once and then found by the SHA-256 of its whole text, signature included:
keyed by less, a genuine token once seen would vouch for a forged signature. What may have changed
since is looked at on each hit: the time, and the party. The copy of the party may itself be a
moment old; a decision rests on the commit, which compares the party's revision with PostgreSQL.

A flood of forgeries must cost little and shut nobody out. So a token's `jti` carries a mark, a
keyed hash that costs a hundredth of a signature to check: who never held a token of a party cannot
make one in its name. Signatures under marked claims are counted apart from all others, and so a
flood in a party's name does not keep its own new tokens from passing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

import msgspec

from gateway.claims import AccessClaims, Confirmation, Kind
from gateway.clock import SECOND_US, Clock
from gateway.counts import Counts
from gateway.errors import Unauthenticated
from gateway.forgeries import Forgeries
from gateway.ids import Ids
from gateway.jose import Reason, Refused, sign, token_key, verify
from gateway.jwk import Alg, Key, unb64url
from gateway.keys import Keyring, b64url
from gateway.parties import Parties, Party, Principal
from gateway.settings import Settings

#: Verified tokens remembered by a worker, about 1 KB each; the oldest goes first.
REMEMBERED: Final = 10_000

#: Every scope is the right to ask about one scenario.
SCOPE_PREFIX: Final = "scenario:"

Headers = Iterable[tuple[bytes, bytes]]

#: The schemes of credentials, each with the space behind it, in lower case.
BEARER: Final = b"bearer "
DPOP: Final = b"dpop "

_decode_claims = msgspec.json.Decoder(AccessClaims).decode

#: Bytes of a token's random part and of its mark: together the `jti`.
_NONCE, _MARK = 16, 8


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
        self._mark_key = hmac.digest(keys.link, b"the mark of an access token", "sha256")
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
        claims = AccessClaims(
            iss=self._issuer,
            aud=self._issuer,
            sub=party.row.id,
            client_id=party.row.id,
            jti=self._jti(party.row.id, issued_s, issued_s + self._ttl_s),
            iat=issued_s,
            exp=issued_s + self._ttl_s,
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
            tolerates=lambda claims: self._forgeries.tolerates(*self._claimant(claims)),
        )
        if isinstance(answer, Refused):
            self._counts.token("refused")
            if answer.reason is Reason.SHED:
                raise self._forgeries.refusal()
            if answer.reason is Reason.SIGNATURE:
                payload = unb64url(compact.split(".")[1])
                self._forgeries.failed(*self._claimant(_decode_claims(payload)))
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

    def _jti(self, party: str, issued_s: int, expires_s: int) -> str:
        nonce = self._ids.random_bytes(_NONCE)
        return b64url(nonce + self._mark(nonce, party, issued_s, expires_s))

    def _mark(self, nonce: bytes, party: str, issued_s: int, expires_s: int) -> bytes:
        # With the times in it, the mark of a token that is over is good for no other.
        text = b"%b %d %d %b" % (nonce, issued_s, expires_s, party.encode())
        return hmac.digest(self._mark_key, text, "sha256")[:_MARK]

    def _claimant(self, claims: AccessClaims) -> tuple[str, str | None]:
        """Under which name, and in which crowd, a bad signature counts."""
        try:
            jti = unb64url(claims.jti)
        except ValueError:
            jti = b""
        mark = self._mark(jti[:_NONCE], claims.client_id, claims.iat, claims.exp)
        if hmac.compare_digest(jti[_NONCE:], mark):
            return f"marked {claims.client_id}", None
        # Anybody may claim any name, as often as there are names.
        return f"unmarked {claims.client_id}", "unmarked"

    def _remember(self, name: bytes, principal: Principal) -> Principal:
        if len(self._seen) >= REMEMBERED:
            # Dictionaries keep insertion order, so the first is the oldest. Memory is bounded
            # however many tokens are issued; one that was dropped is simply verified again.
            del self._seen[next(iter(self._seen))]
        self._seen[name] = principal
        return principal


def is_under_dpop(headers: Headers) -> bool:
    """Whether the request's header fields hold a credential under the scheme DPoP."""
    return any(
        name == b"authorization" and value[: len(DPOP)].lower() == DPOP for name, value in headers
    )


def credential(headers: Headers, scheme: bytes) -> str:
    """The one token of the header fields, if it is under this scheme (RFC 6750 2.1, RFC 9449 7.1;
    RFC 6750's other two ways are not ours).

    Raises:
        Unauthenticated: there is none, more than one, or one under another scheme.
    """
    found = None
    for name, value in headers:
        if name == b"authorization":
            # Of two credentials a proxy may have judged one and we the other.
            if found is not None:
                raise Unauthenticated("repeated")
            found = value
    if found is None:
        raise Unauthenticated
    if found[: len(scheme)].lower() != scheme:  # RFC 9110 11.1: the scheme's case does not matter
        raise Unauthenticated("scheme")
    try:
        return found[len(scheme) :].decode("ascii")
    except UnicodeDecodeError:
        raise Unauthenticated("shape") from None

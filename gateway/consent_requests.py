"""A party asks for a consent: the request, and the link that shows it to a citizen.

Whoever holds the link and signs in may decide the request, once; the first who does is bound to
it. The link is the request's id with a keyed hash of it, so nothing is stored that could be
stolen, and asking again gives the same link.
"""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import ip_address
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from gateway.clock import Clock
from gateway.errors import Forbidden, IdempotencyMismatch, Malformed, NotFound, StillRunning
from gateway.ids import Ids
from gateway.jwk import unb64url
from gateway.keys import b64url
from gateway.parties import Principal, Registration
from gateway.pseudonyms import Pseudonyms
from gateway.settings import Settings
from gateway.store import consent as rows
from gateway.store.consent import NewRequest, Peers, RequestState, ShownRequest
from gateway.store.database import Connection, Database
from gateway.tokens import SCOPE_PREFIX
from scenarios.registry import Registry

#: The page of a link (gateway/web/consent.py); the token at its end names the request.
LINK_PATH = "/app/consent/"

#: Other parties that are named beside a request.
PEERS_MAX = 12

_TAG = 16  # bytes of the keyed hash: 128 bits that nobody guesses
_LABEL = b"consent-request/"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a party asks a citizen to allow."""

    scenario: str
    purpose: str
    out_request_no: str
    return_uri: str | None = None


class ConsentRequests:
    """Requests for consents; one instance per worker."""

    def __init__(
        self,
        *,
        settings: Settings,
        link_key: bytes,
        database: Database,
        registry: Registry,
        pseudonyms: Pseudonyms,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._settings, self._key = settings, link_key
        self._database, self._registry, self._pseudonyms = database, registry, pseudonyms
        self._clock, self._ids = clock, ids

    async def ask(
        self, principal: Principal, asked: Asked, *, citizen: UUID | None = None
    ) -> RequestState:
        """The request under the party's own number: a new one, or the one that is there.

        `citizen` is given where the party stands before one citizen in person; nobody else sees
        the request then.

        Raises:
            NotFound: there is no such scenario.
            Forbidden: it is not one of the token's or of the party's.
            Malformed: the purpose is not one of the scenario's, or the address is not allowed.
            IdempotencyMismatch: the number was used for another request.
        """
        request = self._request(principal, asked, citizen, None)
        async with self._database.connection() as connection:
            return await _added(connection, request, self._settings.consent_request_ttl_s)

    async def ask_within(
        self,
        connection: Connection,
        principal: Principal,
        asked: Asked,
        *,
        citizen: UUID,
        desk: str | None = None,
    ) -> RequestState:
        """`ask` in person, inside a transaction; at a desk, where the party stands at one."""
        request = self._request(principal, asked, citizen, desk)
        return await _added(connection, request, self._settings.consent_request_ttl_s)

    async def of_party(self, principal: Principal, request: UUID) -> tuple[RequestState, str]:
        """A party's request, and the citizen's subject (empty unless it was granted).

        Raises:
            NotFound: there is no such request of this party.
        """
        async with self._database.connection() as connection:
            found = await rows.request_of_party(connection, request, principal.party.row.num)
        if found is None:
            raise NotFound
        if found.status != "granted" or found.citizen is None:
            return found, ""
        return found, self._pseudonyms.subject(found.citizen, found.sector)

    async def shown(self, token: str, citizen: UUID) -> ShownRequest:
        """The request behind a link, for the citizen who opens it.

        Raises:
            NotFound: the link is not one of ours, or another citizen decided the request.
        """
        async with self._database.connection() as connection:
            found = await rows.shown(connection, self.resolve(token))
        if found is None or found.citizen not in (None, citizen):
            raise NotFound
        return found

    async def peers(self, request: UUID) -> Peers:
        """Who else may ask once a request is granted: a consent is to the recipient, for whom
        several parties may act."""
        async with self._database.connection() as connection:
            return await rows.peers(connection, request, PEERS_MAX)

    async def waiting_links(self, citizen: UUID) -> list[str]:
        """The pages of the open requests that ask this citizen in person, newest first."""
        async with self._database.connection() as connection:
            waiting = await rows.waiting_for(connection, citizen)
        return [LINK_PATH + self.token(request) for request in waiting]

    async def waiting_for(self, citizen: UUID) -> list[ShownRequest]:
        """The open requests that ask this citizen in person, newest first."""
        async with self._database.connection() as connection:
            found = [
                await rows.shown(connection, request)
                for request in await rows.waiting_for(connection, citizen)
            ]
        return [request for request in found if request is not None]

    def token(self, request: UUID) -> str:
        """The unguessable name of a request, for links and for the citizen's own routes."""
        tag = hmac.digest(self._key, _LABEL + request.bytes, "sha256")[:_TAG]
        return b64url(request.bytes + tag)

    def link(self, request: UUID) -> str:
        """The address that a party shows or sends to a citizen."""
        return self._settings.issuer + LINK_PATH + self.token(request)

    def resolve(self, token: str) -> UUID:
        """The request that a token names.

        Raises:
            NotFound: we did not make this token.
        """
        try:
            request = UUID(bytes=unb64url(token)[:-_TAG])
        except ValueError:
            raise NotFound from None
        if not hmac.compare_digest(self.token(request), token):
            raise NotFound
        return request

    def permitted(self, principal: Principal, scenario: str, purpose: str) -> Registration:
        """The party's place in a scenario about which it may ask for this purpose.

        Raises:
            NotFound, Forbidden, Malformed: as `ask` does.
        """
        compiled = self._registry.get(scenario)
        if compiled is None:
            raise NotFound
        if SCOPE_PREFIX + scenario not in principal.scopes:
            raise Forbidden("scope")
        registration = principal.party.registrations.get(scenario)
        if registration is None:
            raise Forbidden("not-registered")
        if purpose not in compiled.manifest.purposes:
            raise Malformed([("/purpose", "not a purpose of this scenario")])
        return registration

    def _request(
        self, principal: Principal, asked: Asked, citizen: UUID | None, desk: str | None
    ) -> NewRequest:
        registration = self.permitted(principal, asked.scenario, asked.purpose)
        check_return_uri(asked.return_uri, allow_loopback_http=self._settings.allow_loopback_http)
        return NewRequest(
            id=self._ids.uuid7(self._clock.now_us()),
            party=principal.party.row.num,
            recipient=registration.recipient.entity,
            scenario=asked.scenario,
            purpose=asked.purpose,
            out_request_no=asked.out_request_no,
            body_hash=_body_hash(asked, citizen),
            return_uri=asked.return_uri,
            citizen=citizen,
            desk=desk,
        )


async def _added(connection: Connection, request: NewRequest, ttl_s: int) -> RequestState:
    await rows.add_request(connection, request, ttl_s)
    # A statement of its own: only now is a rival's row under the same number visible.
    held = await rows.request_of_number(connection, request.party, request.out_request_no)
    if held is None:
        raise StillRunning
    if held.body_hash != request.body_hash:
        raise IdempotencyMismatch
    return held


def check_return_uri(uri: str | None, *, allow_loopback_http: bool) -> None:
    """Where a citizen is sent after deciding: an https address that says plainly whose it is.

    It is the asking party's word, which is authenticated, and the citizen sees the host before
    going there. Nothing about the decision is added to the address.

    Raises:
        Malformed: it is not such an address.
    """
    if uri is None:
        return
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Malformed([("/return_uri", "not an address")]) from None
    # `https://shop.example@evil.example/` and backslashes are read differently by people.
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set(' \\"<>^`{|}')
    if not plain or not host or "@" in parts.netloc or parts.fragment or port == 0:
        raise Malformed([("/return_uri", "must be a plain address without user and fragment")])
    local = allow_loopback_http and parts.scheme == "http" and _is_loopback(host)
    if parts.scheme != "https" and not local:
        raise Malformed([("/return_uri", "must be an https address")])


def _body_hash(asked: Asked, citizen: UUID | None) -> bytes:
    # Over the values and not the bytes sent: white space is no difference.
    return hashlib.sha256(msgspec.json.encode([asked, citizen])).digest()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False  # a name, which could be anybody's

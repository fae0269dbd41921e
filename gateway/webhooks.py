"""Messages to parties, sent: signed, at least once, to the address they chose and nowhere else.

Standard Webhooks 1.0 with asymmetric signatures (`v1a`, Ed25519), so that a party holds no secret
of ours. Senders take messages for a while (`FOR UPDATE SKIP LOCKED`, then a lease): several may
run, and one that dies with a message loses it to the next. A message that was delivered twice
carries the same `webhook-id`.
"""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx
import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.clock import SECOND_US, Clock, to_us
from gateway.errors import GatewayError
from gateway.ids import Ids
from gateway.keys import Keyring, b64url
from gateway.ssrf import NO_ANSWER, OutboundRefused, guarded_client
from gateway.store import webhook as rows
from gateway.store.database import Database
from gateway.store.webhook import Due

#: Seconds before each attempt; after the last there is none.
DELAYS_S = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)

#: The whole exchange with a party, from look-up to the answer's header.
TIMEOUT_S = 15.0

#: Nobody else sends a message for so long: longer than any exchange takes.
LEASE_S = 60.0

#: Messages taken at once, and so exchanges under way; and how many of them one party's.
BATCH, PARTY_BATCH = 64, 4

#: A party may ask for patience, but not for ever.
PATIENCE_S = 86_400

_THROTTLES = (429, 502, 503, 504)
_GONE = 410

_log = structlog.get_logger(__name__)


class WebhookKey(msgspec.Struct, frozen=True):
    """The public key as a JWK (RFC 8037) and in the spelling of Standard Webhooks."""

    kid: str
    x: str
    whpk: str
    kty: str = "OKP"
    crv: str = "Ed25519"
    use: str = "sig"
    alg: str = "EdDSA"


class Verdict(msgspec.Struct, frozen=True):
    """How an attempt ended: delivered (no error), or why not and how soon again at the earliest."""

    error: str | None = None
    wait_s: int = 0
    gone: bool = False


def webhook_public_jwk(keys: Keyring) -> WebhookKey:
    """The key that verifies our messages; its id is the RFC 7638 thumbprint."""
    raw = keys.webhook.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    x = b64url(raw)
    members = f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'
    kid = b64url(hashlib.sha256(members.encode()).digest())
    return WebhookKey(kid, x, "whpk_" + b64encode(raw).decode())


def signature(key: Ed25519PrivateKey, message: str, timestamp_s: int, payload: str) -> str:
    """The `webhook-signature` of a message: over id, time and the exact payload."""
    signed = f"{message}.{timestamp_s}.{payload}".encode()
    return "v1a," + b64encode(key.sign(signed)).decode()


def next_wait_s(attempts: int, asked_s: int, jitter: float) -> float | None:
    """Seconds until the next attempt after so many, or None after the last.

    `asked_s` is what the party's Retry-After says; `jitter` lies between 0 and 1 and adds up to a
    tenth, so that what failed together does not return together.
    """
    if attempts >= len(DELAYS_S):
        return None
    wait_s = max(DELAYS_S[attempts], min(asked_s, PATIENCE_S))
    return wait_s * (1 + jitter / 10)


class WebhookSender:
    """Sends what the outbox holds."""

    def __init__(
        self,
        database: Database,
        keys: Keyring,
        clock: Clock,
        ids: Ids,
        *,
        allow_loopback_http: bool,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._database, self._key = database, keys.webhook
        self._clock, self._ids = clock, ids
        self._allow_loopback_http, self._timeout_s = allow_loopback_http, timeout_s

    async def step(self) -> int:
        """Send what is due, each message once; returns how many were tried."""
        async with self._database.connection() as connection:
            taken = await rows.claim(connection, BATCH, PARTY_BATCH, LEASE_S)
        if not taken:
            return 0
        client = guarded_client(
            allow_loopback_http=self._allow_loopback_http, timeout_s=self._timeout_s
        )
        async with client:
            told = await asyncio.gather(
                *(self._deliver(client, due) for due in taken), return_exceptions=True
            )
        # What went wrong with one message is told once every other one is done.
        for fault in told:
            if fault is not None:
                raise fault
        return len(taken)

    async def _deliver(self, client: httpx.AsyncClient, due: Due) -> None:
        if due.url is None:
            verdict = Verdict("nowhere to send it", gone=True)
        else:
            verdict = await self._send(client, due, due.url)
        async with self._database.connection() as connection:
            if verdict.error is None:
                return await rows.delivered(connection, due.id)
            wait_s = next_wait_s(due.attempts, verdict.wait_s, self._jitter())
            if verdict.gone and due.url is not None:
                await rows.gone(connection, due.party, due.url)
            if verdict.gone or wait_s is None:
                _log.warning("webhook_given_up", message=due.id, error=verdict.error)
                return await rows.give_up(connection, due.id, verdict.error)
            return await rows.again(connection, due.id, wait_s, verdict.error)

    async def _send(self, client: httpx.AsyncClient, due: Due, url: str) -> Verdict:
        try:
            # httpx times each read; a party that trickles would hold the message's lease.
            async with asyncio.timeout(self._timeout_s):
                request = client.build_request(
                    "POST", url, content=due.payload.encode(), headers=self._headers(due)
                )
                response = await client.send(request, stream=True)
                # Only the status is of interest: what else the party says is never read.
                await response.aclose()
        except OutboundRefused:
            return Verdict("address refused")
        except (*NO_ANSWER, GatewayError) as fault:
            return Verdict(type(fault).__name__)
        return self._judged(response)

    def _headers(self, due: Due) -> dict[str, str]:
        # The time of this attempt, not of the event: receivers refuse what is older than minutes.
        timestamp_s = self._clock.now_us() // SECOND_US
        return {
            "content-type": "application/json",
            "user-agent": "qianjiang-webhooks/1",
            "webhook-id": due.id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signature(self._key, due.id, timestamp_s, due.payload),
        }

    def _judged(self, response: httpx.Response) -> Verdict:
        status = response.status_code
        if response.is_success:
            return Verdict()
        if status == _GONE:
            return Verdict("status 410", gone=True)
        asked = response.headers.get("retry-after", "") if status in _THROTTLES else ""
        return Verdict(f"status {status}", wait_s=retry_after_s(asked, self._clock.now_us()))

    def _jitter(self) -> float:
        return int.from_bytes(self._ids.random_bytes(2), "big") / 65_536


def retry_after_s(field: str, now_us: int) -> int:
    """The seconds that a Retry-After field asks for (RFC 9110 10.2.3); 0 where it says nothing."""
    if field.isascii() and field.isdigit():
        return int(field[:9])
    try:
        moment = parsedate_to_datetime(field)
    except (ValueError, OverflowError):  # the latter for a number that no date has
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, (to_us(moment) - now_us) // SECOND_US)

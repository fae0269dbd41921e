"""The calls that are not decisions: requests ready to be sent, and where their rows are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlencode

import msgspec

from gateway.city import City
from gateway.oauth.clients import ASSERTION_TYPE
from gateway.oauth.metadata import TOKEN_PATH
from loadtest.client import Reply
from loadtest.party import Shop
from loadtest.serving import Target
from loadtest.whole import SCENARIO, Visitor

_FORM = "application/x-www-form-urlencoded"

_OF_CITIZENS = (
    "SELECT citizen::text AS key, id::text AS id FROM {table}"
    " WHERE citizen = ANY ($1::text[]::uuid[]) AND status = '{status}'"
)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """Requests of one kind, ready to be sent.

    `keys` says for each request what its row is found by, `query` finds (key, id) of the rows for
    keys, and `told` is the id that an answer's body acknowledges.
    """

    name: str
    status: int
    requests: list[bytes]
    keys: list[str]
    query: str
    told: Callable[[str, bytes], str]


def tokens(target: Target, city: City, shop: Shop, count: int) -> Call:
    """`POST /oauth/token` with private_key_jwt: each assertion signed beforehand, good once."""
    assertions = [shop.assertion(city) for _ in range(count)]
    forms = [
        urlencode(
            {
                "grant_type": "client_credentials",
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion,
            }
        )
        for assertion, _ in assertions
    ]
    return Call(
        name="token",
        status=200,
        requests=[
            _request(target, "POST", TOKEN_PATH, form.encode(), kind=_FORM) for form in forms
        ],
        keys=[jti for _, jti in assertions],
        query="SELECT jti AS key, jti AS id FROM assertion_used WHERE jti = ANY ($1::text[])",
        told=lambda jti, body: jti if b'"access_token":"' in body else "",
    )


def grants(target: Target, city: City, people: Sequence[Visitor], links: Sequence[str]) -> Call:
    """A citizen grants the request behind a link."""
    text = city.registry[SCENARIO].manifest.consent.text_sha256.hex()
    body = msgspec.json.encode({"text_sha256": text})
    return Call(
        name="consent grant",
        status=200,
        requests=[
            _request(target, "POST", f"/v1/me/consent-requests/{link}/grant", body, each)
            for each, link in zip(people, links, strict=True)
        ],
        keys=_citizens(people),
        query=_OF_CITIZENS.format(table="consent", status="active"),
        told=_id,
    )


def signs(target: Target, city: City, people: Sequence[Visitor], signed: Sequence[str]) -> Call:
    """A citizen hands in a signed commitment; the text and nonce were fetched before."""
    return Call(
        name="commitment sign",
        status=201,
        requests=[
            _request(target, "POST", "/v1/me/commitments", msgspec.json.encode({"jws": jws}), each)
            for each, jws in zip(people, signed, strict=True)
        ],
        keys=_citizens(people),
        query=_OF_CITIZENS.format(table="commitment", status="signed"),
        told=_id,
    )


def lookups(target: Target, readers: Sequence[Visitor]) -> Call:
    """A citizen reads who asked: the number of lines read is the number of answers on record."""
    return Call(
        name="lookups",
        status=200,
        requests=[_request(target, "GET", "/v1/me/lookups", b"", each) for each in readers],
        keys=_citizens(readers),
        query="SELECT citizen::text AS key, count(*)::text AS id FROM decision"
        " WHERE citizen = ANY ($1::text[]::uuid[]) GROUP BY citizen",
        told=lambda _key, body: str(len(msgspec.json.decode(body)["lookups"])),
    )


def withdrawals(
    target: Target, people: Sequence[Visitor], granting: Call, granted: Sequence[Reply]
) -> Call:
    """Every citizen takes the consent back that was granted before."""
    consents = {
        granting.keys[reply.place]: _id("", reply.body)
        for reply in granted
        if reply.status == granting.status
    }
    leaving = [each for each in people if str(each.citizen) in consents]
    return Call(
        name="withdrawal",
        status=200,
        requests=[
            _request(
                target,
                "POST",
                f"/v1/me/consents/{consents[str(each.citizen)]}/withdraw",
                b"",
                each,
            )
            for each in leaving
        ],
        keys=_citizens(leaving),
        query=_OF_CITIZENS.format(table="consent", status="withdrawn"),
        told=_id,
    )


def _request(
    target: Target,
    method: str,
    path: str,
    body: bytes,
    visitor: Visitor | None = None,
    kind: str = "application/json",
) -> bytes:
    """The bytes of a request, as the citizen's page or the party's program sends it."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\n"
    if visitor is not None:
        head += f"Cookie: {visitor.cookie}\r\n"
        if method == "POST":
            # The session's own CSRF token is a good name for its single write of a path.
            head += f'X-CSRF-Token: {visitor.csrf}\r\nIdempotency-Key: "{visitor.csrf}{path}"\r\n'
    if body:
        head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    elif method == "POST":
        head += "Content-Length: 0\r\n"
    return head.encode() + b"\r\n" + body


def _citizens(people: Iterable[Visitor]) -> list[str]:
    return [str(each.citizen) for each in people]


def _id(_key: str, body: bytes) -> str:
    return str(msgspec.json.decode(body)["id"])

"""A small identity provider for a city on one machine. NOT FOR PRODUCTION: it asks no password.

OpenID Connect Core 1.0, code flow only, with what a strict client needs: PKCE S256 (RFC 7636),
`state`, `nonce`, `iss` in the response (RFC 9207), private_key_jwt (RFC 7523) with each assertion
once, ES256. Whoever types a login is that person; all of them are synthetic. Codes and the signing
key live in the memory of one process and die with it.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import os
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import State

from gateway.claims import AssertionClaims, IdClaims, Kind
from gateway.clock import SECOND_US, Clock, SystemClock
from gateway.edge.form import parse_form
from gateway.errors import Malformed
from gateway.ids import Ids, SystemIds
from gateway.jose import Refused, sign, verify
from gateway.jwk import Alg, Key, parse_jwk, public_jwk, thumbprint
from gateway.keys import b64url
from gateway.local.people import Identity, person_of_login
from gateway.local.places import write_private

AUTHORIZE, TOKEN, JWKS = "/authorize", "/token", "/jwks.json"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CODE_LIFE_S, CODES_MAX, ID_TOKEN_LIFE_S = 60, 10_000, 300

_NO_STORE = {"cache-control": "no-store"}
_WARNING = "示例登录，不用于生产 · Example sign-in, not for production: it asks no password."


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A registered client: who may send citizens here, whereto they return, by which key."""

    client_id: str
    redirect_uris: tuple[str, ...]
    jwk: dict[str, str]


class IdentityFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the provider is started with: a JSON file."""

    clients: tuple[Client, ...]
    personas: tuple[Identity, ...] = ()
    generated: int = 10_000  # logins person-1 to person-N besides the personas


class PersonClaims(IdClaims, frozen=True, kw_only=True):
    """An ID token that also says who the person is."""

    name: str
    id_number: str
    birthdate: str
    full_capacity: bool
    auth_time: int


class Grant(msgspec.Struct, frozen=True):
    """What an authorization code stands for."""

    client_id: str
    redirect_uri: str
    nonce: str
    challenge: str
    person: Identity
    auth_time: int  # when the login was typed, in seconds
    expires_us: int


class ProviderRefuses(Exception):
    """A request that the provider does not answer; the code is OAuth's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def write_identity_file(
    path: Path,
    clients: Sequence[tuple[str, str, ec.EllipticCurvePrivateKey]],
    personas: Sequence[Identity] = (),
    generated: int = 10_000,
) -> None:
    """Write the provider's file. Clients are (client id, redirect URI, its private key)."""
    registered = tuple(
        Client(name, (uri,), public_jwk(_public(key.public_key()))) for name, uri, key in clients
    )
    content = IdentityFile(registered, tuple(personas), generated)
    write_private(path, msgspec.json.encode(content).decode())


class Provider:
    """The protocol, apart from HTTP."""

    def __init__(self, issuer: str, file: IdentityFile, clock: Clock, ids: Ids) -> None:
        self.issuer = issuer
        self._clients = {client.client_id: client for client in file.clients}
        self._keys = {
            client.client_id: parse_jwk(msgspec.json.encode(client.jwk)) for client in file.clients
        }
        self._personas = {persona.login: persona for persona in file.personas}
        self._generated = file.generated
        self._clock, self._ids = clock, ids
        self._signing = ec.generate_private_key(ec.SECP256R1())
        self.key = _public(self._signing.public_key())
        self._grants: OrderedDict[str, Grant] = OrderedDict()
        self._assertions: OrderedDict[tuple[str, str], None] = OrderedDict()

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        """The guard's look-up: a client's own key, for client authentication only."""
        key = self._keys.get(issuer)
        return key if kind is Kind.ASSERTION and key is not None and key.kid == kid else None

    def person(self, login: str) -> Identity | None:
        """Who signs in so."""
        if (persona := self._personas.get(login)) is not None:
            return persona
        found = person_of_login(login)
        within = found is not None and int(login.rpartition("-")[2]) <= self._generated
        return found if within else None

    def check(self, asked: dict[str, str]) -> None:
        """Whether an authorization request is one that may be answered by a redirect.

        Raises:
            ProviderRefuses: the client, the address to return to, or a parameter is wrong.
        """
        client = self._clients.get(asked.get("client_id", ""))
        if client is None or asked.get("redirect_uri") not in client.redirect_uris:
            raise ProviderRefuses("invalid_request")
        if asked.get("response_type") != "code":
            raise ProviderRefuses("unsupported_response_type")
        if asked.get("code_challenge_method") != "S256" or len(asked["code_challenge"]) != 43:
            raise ProviderRefuses("invalid_request")
        if "openid" not in asked.get("scope", "").split() or not asked.get("nonce"):
            raise ProviderRefuses("invalid_scope")
        # There is no session here to be asked about: everybody types a login, every time.
        if asked.get("prompt") == "none":
            raise ProviderRefuses("login_required")
        if asked.get("prompt", "login") != "login" or not asked.get("max_age", "0").isdigit():
            raise ProviderRefuses("invalid_request")

    def authorize(self, asked: dict[str, str], person: Identity) -> str:
        """The address that takes a checked request's answer home."""
        code, now_us = self._ids.token(), self._clock.now_us()
        self._grants[code] = Grant(
            asked["client_id"],
            asked["redirect_uri"],
            asked["nonce"],
            asked["code_challenge"],
            person,
            now_us // SECOND_US,
            now_us + CODE_LIFE_S * SECOND_US,
        )
        while len(self._grants) > CODES_MAX:
            self._grants.popitem(last=False)
        answer = {"code": code, "state": asked.get("state", ""), "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def exchange(self, form: dict[str, str]) -> dict[str, Any]:
        """Tokens for a code.

        Raises:
            ProviderRefuses: the client did not prove itself, or the code is not its own.
        """
        if form.get("grant_type") != "authorization_code":
            raise ProviderRefuses("unsupported_grant_type")
        client_id = self._authenticate(form)
        # Taken out before it is looked at: a code is tried once, whatever comes of it.
        grant = self._grants.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "").encode("ascii", "replace")
        challenge = b64url(hashlib.sha256(verifier).digest())
        if (
            grant is None
            or grant.expires_us <= self._clock.now_us()
            or (grant.client_id, grant.redirect_uri) != (client_id, form.get("redirect_uri"))
            or not hmac.compare_digest(challenge, grant.challenge)
        ):
            raise ProviderRefuses("invalid_grant")
        # The gateway asks who the person is and nothing else: the access token opens nothing.
        return {
            "access_token": self._ids.token(),
            "token_type": "Bearer",
            "expires_in": ID_TOKEN_LIFE_S,
            "id_token": self._id_token(grant),
        }

    def _authenticate(self, form: dict[str, str]) -> str:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise ProviderRefuses("invalid_client")
        passed = verify(
            form.get("client_assertion", ""),
            Kind.ASSERTION,
            self,
            issuer=None,
            audience=self.issuer,
            now_us=self._clock.now_us(),
        )
        if isinstance(passed, Refused) or not isinstance(passed.claims, AssertionClaims):
            raise ProviderRefuses("invalid_client")
        once = passed.claims.iss, passed.claims.jti
        if once in self._assertions:
            raise ProviderRefuses("invalid_client")
        self._assertions[once] = None
        while len(self._assertions) > CODES_MAX:
            self._assertions.popitem(last=False)
        return passed.claims.iss

    def _id_token(self, grant: Grant) -> str:
        now = self._clock.now_us() // SECOND_US
        who = grant.person
        claims = PersonClaims(
            iss=self.issuer,
            sub=b64url(hashlib.sha256(f"subject:{who.login}".encode()).digest()),
            aud=grant.client_id,
            nonce=grant.nonce,
            iat=now,
            exp=now + ID_TOKEN_LIFE_S,
            name=who.name,
            id_number=who.id_number,
            birthdate=who.birthdate.isoformat(),
            full_capacity=who.full_capacity,
            auth_time=grant.auth_time,
        )
        return sign(Kind.ID, claims, self.key.kid, self._signing)


@get("/.well-known/openid-configuration", sync_to_thread=False)
def discovery(state: State) -> dict[str, Any]:
    """OpenID Connect Discovery 1.0."""
    issuer = _provider(state).issuer
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZE,
        "token_endpoint": issuer + TOKEN,
        "jwks_uri": issuer + JWKS,
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "scopes_supported": ["openid"],
        "id_token_signing_alg_values_supported": [Alg.ES256.value],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": [Alg.ES256.value],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["login"],
        "authorization_response_iss_parameter_supported": True,
    }


@get(JWKS, sync_to_thread=False)
def jwks(state: State) -> dict[str, Any]:
    """The public key of the ID tokens."""
    return {"keys": [public_jwk(_provider(state).key)]}


@get(AUTHORIZE, sync_to_thread=False)
def form(request: Request[Any, Any, State]) -> Response[str]:
    """The page with one field. It posts back to its own address."""
    try:
        _provider(request.app.state).check(_asked(request))
    except (ProviderRefuses, KeyError):
        return _page("<p>无效的登录请求 · Not a valid request.</p>", 400)
    return _page(_FORM, 200)


@post(AUTHORIZE)
async def login(request: Request[Any, Any, State]) -> Response[str]:
    """Whoever types a login is that person."""
    provider, asked = _provider(request.app.state), _asked(request)
    try:
        provider.check(asked)
    except (ProviderRefuses, KeyError):
        return _page("<p>无效的登录请求 · Not a valid request.</p>", 400)
    typed = _parameters(await request.body()).get("login", "").strip()
    who = provider.person(typed)
    if who is None:
        return _page("<p>没有这个示例人物 · No such example person.</p>" + _FORM, 403)
    address = provider.authorize(asked, who)
    return Response("", status_code=303, headers={**_NO_STORE, "location": address})


@post(TOKEN, status_code=200)
async def token(request: Request[Any, Any, State]) -> Response[dict[str, Any]]:
    """The token endpoint (OIDC Core 3.1.3)."""
    try:
        sent = _parameters(await request.body())
        return Response(_provider(request.app.state).exchange(sent), headers=_NO_STORE)
    except ProviderRefuses as refusal:
        return Response({"error": refusal.code}, status_code=400, headers=_NO_STORE)


_FORM = (
    '<form method="post"><p><label for="login">登录名 · Login</label>'
    '<input id="login" name="login" autocomplete="off" autocapitalize="none" autocorrect="off"'
    ' spellcheck="false" autofocus required></p>'
    "<button>登录 · Sign in</button></form>"
)
_STYLE = (
    ":root{color-scheme:light dark;font:1.125rem/1.5 system-ui,sans-serif}"
    "main{max-width:26rem;margin:1.5rem auto;padding:0 1rem}h1{font-size:1.375rem}"
    "label{display:block}input,button{font:inherit;box-sizing:border-box;width:100%;"
    "min-height:3rem;padding:.5rem .75rem}"
)
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_CSP = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'"


def create_app() -> Litestar:
    """The provider, from QIANJIANG_IDENTITY_ISSUER and QIANJIANG_IDENTITY_FILE."""
    path = Path(os.environ["QIANJIANG_IDENTITY_FILE"])
    file = msgspec.json.decode(path.read_bytes(), type=IdentityFile)
    issuer = os.environ["QIANJIANG_IDENTITY_ISSUER"]
    return build_app(Provider(issuer, file, SystemClock(), SystemIds()))


def build_app(provider: Provider) -> Litestar:
    """The provider's application."""
    return Litestar(
        [discovery, jwks, form, login, token],
        state=State({"provider": provider}),
        openapi_config=None,
        logging_config=None,
        request_max_body_size=16 * 1024,
    )


def _provider(state: State) -> Provider:
    provider: Provider = state.provider
    return provider


def _asked(request: Request[Any, Any, State]) -> dict[str, str]:
    return _parameters(request.scope["query_string"])


def _parameters(raw: bytes) -> dict[str, str]:
    try:
        return parse_form(raw)
    except Malformed:
        return {}


def _page(content: str, status: int) -> Response[str]:
    page = (
        '<!doctype html><html lang="zh"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>示例身份提供方 · Example identity provider</title><style>{_STYLE}</style>"
        "<main><h1>示例身份提供方 · Example identity provider</h1>"
        f"<p><strong>{html.escape(_WARNING)}</strong></p>{content}</main></html>"
    )
    # Without a policy of its own the page could be framed, and scripts could ride on it.
    headers = {
        **_NO_STORE,
        "content-security-policy": _CSP,
        "referrer-policy": "no-referrer",
    }
    return Response(page, status_code=status, headers=headers, media_type="text/html")


def _public(key: ec.EllipticCurvePublicKey) -> Key:
    return Key(thumbprint(key), Alg.ES256, key)

"""A small city that does what the look at it needs, and nothing else; any of it can be spoilt.

It is not this gateway: a few lines of `http.server`, so that a check cannot pass for being made of
the same stuff as what it checks. Two of them and their region are a `Country`.
"""

from __future__ import annotations

import email.utils
import json
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from gateway.claims import AssertionClaims, Kind
from gateway.clock import SECOND_US
from gateway.jose import Passed, verify
from gateway.jwk import Alg, Key
from gateway.keys import b64url
from tests.gateway import forge
from tests.gateway.recognition.region import City, TestRegion

OPEN = ("library", "rent")
ENTRIES = 1 << 17
SCHEME = {
    "id": "example-delta",
    "version": 1,
    "tiers": ["T1"],
    "cities": {"330100": {}, "330200": {}},
}

_GRANTS = {
    "authorization_code": "code",
    "urn:ietf:params:oauth:grant-type:token-exchange": "subject_token",
    "urn:ietf:params:oauth:grant-type:jwt-bearer": "assertion",
}
Reply = tuple[int, dict[str, str], bytes]


class Town:
    """A city at an address of this machine. `spoilt` names what it does wrong; see `country`."""

    def __init__(self, code: str) -> None:
        self.spoilt: set[str] = set()
        self.neighbours: list[City] = []
        self.metadata: dict[str, Any] = {}
        self.listed: dict[str, Any] = {}
        self.bits = bytes(ENTRIES // 8)
        #: Clients to which the grant of a visit is closed (RFC 6749 5.2).
        self.not_for: set[str] = set()
        #: A status by path, or by "*", that something before the town says in its place.
        self.instead: dict[str, int] = {}
        self.date_off_s, self.delay_s = 0, 0.0
        self._used: set[str] = set()
        self._pushed: set[str] = set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.city = City(code, issuer=self.issuer)

    def reply(self, method: str, target: str, body: bytes) -> Reply:
        """What is answered."""
        place = urlsplit(target)
        if (status := self.instead.get(place.path, self.instead.get("*"))) is not None:
            return status, {"content-type": "text/html", **_NO_STORE}, b"<!doctype html><p>nothing"
        match method, place.path:
            case "GET", "/.well-known/oauth-authorization-server":
                return _json(200, self._metadata())
            case "GET", "/v1/recognition/schemes/example-delta/1":
                return _json(200, SCHEME | ({"tiers": ["T9"]} if "scheme" in self.spoilt else {}))
            case "GET", "/status-lists/1":
                media = "text/plain" if "media" in self.spoilt else "application/statuslist+jwt"
                return 200, {"content-type": media}, self._status_list()
            case "GET", "/oauth/authorize":
                return self._authorize(dict(parse_qsl(place.query)))
            case "GET", "/recognition/callback":
                return self._page("open-callback", "https://elsewhere.example/in")
            case "POST", "/oauth/par" | "/oauth/token":
                return self._program(place.path, body)
        return _json(404, {"error": "not_found"})

    def _program(self, path: str, body: bytes) -> Reply:
        if path in self.spoilt:
            return 307, {"location": self.issuer + path + "/", **_NO_STORE}, b""
        status, headers, raw = (self._par if path == "/oauth/par" else self._token)(_form(body))
        if "stored" in self.spoilt:
            headers.pop("cache-control")
        return status, headers, raw

    def _par(self, form: dict[str, str]) -> Reply:
        if not self._client(form, "par"):
            return _error("invalid_client")
        rules = {
            "pkce": form.get("code_challenge_method") == "S256",
            "redirect": form.get("redirect_uri") in self._redirects(form["client_id"]),
        }
        if any(not holds for name, holds in rules.items() if name not in self.spoilt):
            return _error("invalid_request")
        asked = {each.removeprefix("scenario:") for each in form["scope"].split(" ")}
        if not asked <= set(OPEN) and "scope" not in self.spoilt:
            return _error("invalid_scope")
        if "push" in self.spoilt:
            return _error("unauthorized_client")
        uri = f"urn:ietf:params:oauth:request_uri:{len(self._pushed)}-{form['state']}"
        self._pushed.add(uri)
        return _json(201, {"request_uri": uri, "expires_in": 90})

    def _token(self, form: dict[str, str]) -> Reply:
        if "grant_type" not in form and "crash" in self.spoilt:
            return 500, {"content-type": "text/plain", **_NO_STORE}, b"Traceback"
        kind = form.get("grant_type", "")
        if kind not in _GRANTS:
            if kind and "grant_type" in self.spoilt:
                return _json(200, {"access_token": "x", "token_type": "Bearer"})
            return _error("unsupported_grant_type" if kind else "invalid_request")
        if not self._client(form, _GRANTS[kind]):
            return _error("invalid_client")
        if _GRANTS[kind] == "assertion" and form.get("client_id") in self.not_for:
            return _error("unauthorized_client")
        if _GRANTS[kind] in self.spoilt:
            return _json(200, {"access_token": "x", "token_type": "Bearer"})
        return _error("invalid_grant")

    def _client(self, form: dict[str, str], place: str) -> bool:
        """Whether the client is who it says, by a fresh assertion for this city."""
        assertion = form.get("client_assertion", "")
        if not assertion and f"{place}-open" in self.spoilt:
            form.setdefault("redirect_uri", self.issuer)
            return True
        answer = verify(
            assertion,
            Kind.ASSERTION,
            _Keys(self.neighbours),
            issuer=None,
            audience="https://elsewhere.example" if "audience" in self.spoilt else self.issuer,
            now_us=int(time.time() - 3600 * ("expired" in self.spoilt)) * SECOND_US,
        )
        if not isinstance(answer, Passed):
            return "forged" in self.spoilt and bool(assertion)
        assert isinstance(answer.claims, AssertionClaims)
        again = answer.claims.jti in self._used
        self._used.add(answer.claims.jti)
        return not again or "replay" in self.spoilt

    def _authorize(self, asked: dict[str, str]) -> Reply:
        uri = asked.get("request_uri", "")
        if uri in self._pushed:
            if "once" not in self.spoilt:
                self._pushed.remove(uri)
            return 303, {"location": "https://id.example/sign-in"}, b""
        return self._page("open-authorize", asked.get("redirect_uri", self.issuer))

    def _page(self, fault: str, place: str) -> Reply:
        if fault in self.spoilt:
            return 303, {"location": place}, b""
        return 400, {"content-type": "text/html; charset=utf-8"}, b"<!doctype html><p>no"

    def _redirects(self, code: str) -> list[str]:
        (city,) = [each for each in self.neighbours if each.code == code]
        return [f"{city.issuer}/recognition/callback"]

    def _metadata(self) -> dict[str, Any]:
        base = self.issuer
        return {
            "issuer": base,
            "pushed_authorization_request_endpoint": f"{base}/oauth/par",
            "authorization_endpoint": f"{base}/oauth/authorize",
            "token_endpoint": f"{base}/oauth/token",
            "grant_types_supported": list(_GRANTS),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "dpop_signing_alg_values_supported": ["ES256"],
            "require_pushed_authorization_requests": True,
            "authorization_response_iss_parameter_supported": True,
        } | self.metadata

    def _status_list(self) -> bytes:
        now_s = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": f"{self.issuer}/status-lists/1",
            "iat": now_s,
            "exp": now_s + 60,
            "ttl": 15,
            "status_list": {"bits": 1, "lst": b64url(zlib.compress(self.bits))},
        }
        claims |= {name: change(now_s) for name, change in self.listed.items()}
        purpose = "grant" if "wrong-key" in self.spoilt else "status"
        kid, key = next((k, key) for p, k, key in self.city.keys if p == purpose)
        head = forge.header(Kind.STATUS_LIST, kid=kid)
        return forge.token(head, forge.dumps(claims), key).encode()


class _Keys:
    """The client keys of some cities, for the guard."""

    def __init__(self, cities: list[City]) -> None:
        self._cities = {city.code: city for city in cities}

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        city = self._cities.get(issuer)
        for purpose, name, private in city.keys if city else ():
            if (purpose, name) == ("client", kid):
                return Key(kid, Alg.ES256, private.public_key())
        return None


class Country:
    """The town that is looked at, its partner, and their region."""

    def __init__(self) -> None:
        self.town, self.partner = Town("330100"), Town("330200")
        self.region = TestRegion(self.town.city, self.partner.city)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _list_handler(self))
        self.region.url = f"http://127.0.0.1:{self.server.server_address[1]}/cities"
        self.town.neighbours = self.partner.neighbours = [self.town.city, self.partner.city]
        terms: dict[str, Any] = {"scenarios": list(OPEN), "from": "2020-01-01", "to": "2099-01-01"}
        cities = self.town.city, self.partner.city
        self.region.agree("a-b", *cities, int(time.time()) - 60, **terms)

    @contextmanager
    def open(self) -> Iterator[Country]:
        """All three listen."""
        with ExitStack() as stack:
            for server in (self.server, self.town.server, self.partner.server):
                stack.callback(server.server_close)
                thread = threading.Thread(target=server.serve_forever, args=(0.02,))
                thread.start()
                stack.callback(thread.join)
                stack.callback(server.shutdown)
            yield self


_NO_STORE = {"cache-control": "no-store"}
_STATUS = {"invalid_client": 401}


def _json(status: int, members: dict[str, Any]) -> Reply:
    return status, {"content-type": "application/json", **_NO_STORE}, json.dumps(members).encode()


def _error(error: str) -> Reply:
    return _json(_STATUS.get(error, 400), {"error": error})


def _form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode("latin-1")))


class _Quiet(BaseHTTPRequestHandler):
    """HTTP/1.1 without a word on standard error."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one write: two would wait for each other (Nagle)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing."""

    def put(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _handler(town: Town) -> type[_Quiet]:
    class Handler(_Quiet):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["content-length"])))

        def date_time_string(self, timestamp: float | None = None) -> str:
            return email.utils.formatdate(time.time() + town.date_off_s, usegmt=True)

        def _answer(self, body: bytes) -> None:
            if self.path.startswith("/recognition/callback"):
                time.sleep(town.delay_s)
            self.put(*town.reply(self.command, self.path, body))

    return Handler


def _list_handler(country: Country) -> type[_Quiet]:
    class Handler(_Quiet):
        def do_GET(self) -> None:
            token = country.region.token(int(time.time()))
            self.put(200, {"content-type": "application/trust-list+jwt"}, token.encode())

    return Handler

"""A partner's own requests, by its own key: what it must get, and what it must not."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from gateway.claims import AssertionClaims, Kind
from gateway.conformance.endpoints import page_fault, refused
from gateway.conformance.listed import Listed
from gateway.conformance.probe import Answer, Probe
from gateway.conformance.report import UNSAID, Report
from gateway.jose import sign
from gateway.keys import b64url
from gateway.oauth.assertions import ASSERTION_TYPE
from gateway.oauth.code import AUTHORIZATION_CODE
from gateway.oauth.exchange import ACCESS_TOKEN, TOKEN_EXCHANGE
from gateway.oauth.jwt_bearer import JWT_BEARER
from gateway.recognition.entry import City
from gateway.tokens import SCOPE_PREFIX

_LIFE_S: Final = 60
_PUSHES: Final = ("asking.push", "asking.pkce", "asking.redirect", "asking.scope", "asking.once")
_BUYS: Final = ("asking.code", "asking.exchange")
_REST: Final = ("asking.replay", "asking.audience", "asking.expired")

_DENIED: Final = {(401, "invalid_client")}
_NOT_FOR_IT: Final = (400, "unauthorized_client")
#: Where the asker is nobody to the city: what only a client can see was not seen.
_UNKNOWN: Final = "the city does not know the client that asks"
_TURNED_AWAY: Final = "the city takes no request of the client that asks"
_INTRODUCE: Final = (
    "compare the asker's `client` keys with its entry in the list, and the clocks; a city fetches "
    "the list every ten seconds"
)


class Asker(msgspec.Struct, frozen=True):
    """The city that asks: its code, and the client key that signs now."""

    code: str
    kid: str
    key: EllipticCurvePrivateKey

    def assertion(self, audience: str, *, age_s: int = 0) -> str:
        """A client assertion for this audience, of a minute that began so long ago."""
        now_s = int(time.time()) - age_s
        claims = AssertionClaims(
            iss=self.code,
            sub=self.code,
            aud=audience,
            jti=secrets.token_urlsafe(24),
            iat=now_s,
            exp=now_s + _LIFE_S,
        )
        return sign(Kind.ASSERTION, claims, self.kid, self.key)


class Asking:
    """One look at a city by a client whom it knows."""

    def __init__(self, probe: Probe, report: Report, listed: Listed, asker: Asker) -> None:
        self._probe, self._report, self._listed, self._asker = probe, report, listed, asker
        self._city: City = listed.city

    def check(self) -> None:
        """All that the asker may ask: of itself a city has no agreement."""
        own = self._asker.code == self._city.entry.code
        wanted = self._listed.open_with(self._asker.code)
        is_partner = bool(wanted) and not own
        is_known = self._check_bearer(own=own, is_partner=is_partner)
        if is_known:
            self._check_assertions()
        if is_known and is_partner:
            if self._check_pushes(sorted(wanted)):
                self._check_purchases()
            return
        why = "a city asks others, not itself" if own else "nothing is open between the two"
        words = _UNKNOWN if is_partner else f"{why}; run it as a partner"
        for name in (*_PUSHES, *_BUYS):
            self._report.skip(name, words)

    def _check_bearer(self, *, own: bool, is_partner: bool) -> bool:
        """A grant that is none, by a good assertion, twice: whether the city knows who asks.

        Grants are presented by the city's own client. To every other one it may say that this is
        not for it (RFC 6749 5.2, unauthorized_client), before it looks at the grant.
        """
        once = self._asker.assertion(self._city.entry.issuer)
        first = self._granted(once)
        unknown = (first.status, first.error) in _DENIED
        if unknown or first.finds_nothing:
            if (own or is_partner) and self._report.said("token.bearer", first):
                self._report.judge("token.bearer", f"{first.said}: {_UNKNOWN}", "", _INTRODUCE)
            for name in _REST:
                self._report.skip(name, _UNKNOWN if unknown else UNSAID)
            return False
        wanted = {(400, "invalid_grant")} | (set() if own else {_NOT_FOR_IT})
        refused(self._report, "token.bearer", first, wanted)
        refused(self._report, "asking.replay", self._granted(once), _DENIED)
        return True

    def _check_assertions(self) -> None:
        """At the token endpoint: assertions that prove nothing, though the key is right."""
        issuer = self._city.entry.issuer
        foreign = self._asker.assertion("https://elsewhere.example")
        refused(self._report, "asking.audience", self._granted(foreign), _DENIED)
        over = self._asker.assertion(issuer, age_s=_LIFE_S + 30)
        refused(self._report, "asking.expired", self._granted(over), _DENIED)

    def _granted(self, assertion: str) -> Answer:
        grant = {"grant_type": JWT_BEARER, "assertion": "e30.e30.e30", "visit": "x" * 43}
        return self._probe.post(self._city.entry.endpoints.token, grant | self._proof(assertion))

    def _check_pushes(self, wanted: list[str]) -> bool:
        """Requests that are pushed; False where none of them is taken from this asker."""
        right = self._request(wanted)
        pushed = self._push(right)
        turned_away = (pushed.status, pushed.error) == _NOT_FOR_IT
        if turned_away:
            self._report.judge("asking.push", f"{pushed.said}: it has not admitted who asks")
        if turned_away or not self._report.said("asking.push", pushed):
            for name in (*_PUSHES, *_BUYS):
                self._report.skip(name, _TURNED_AWAY if turned_away else UNSAID)
            return False
        expires = pushed.members.get("expires_in")
        good = isinstance(expires, int) and 0 < expires < 600 and pushed.status == 201
        self._report.judge(
            "asking.push", None if good else pushed.said, f"{pushed.status}, {expires} s"
        )
        request_uri = pushed.members.get("request_uri")
        if good and isinstance(request_uri, str):
            self._check_once(request_uri)
        for name, changes, error in (
            ("asking.pkce", {"code_challenge_method": "plain"}, "invalid_request"),
            ("asking.redirect", {"redirect_uri": _elsewhere(right)}, "invalid_request"),
            ("asking.scope", {"scope": SCOPE_PREFIX + "never_agreed"}, "invalid_scope"),
        ):
            refused(self._report, name, self._push(right | changes), {(400, error)})
        return True

    def _check_once(self, request_uri: str) -> None:
        """A browser opens it; a second one finds it used."""
        named = urlencode({"client_id": self._asker.code, "request_uri": request_uri})
        address = f"{self._city.entry.endpoints.authorize}?{named}"
        first = self._probe.get(address, "text/html")
        if first.is_none:
            self._report.said("asking.once", first)
            return
        if not 200 <= first.status < 400:
            self._report.judge("asking.once", f"opened for the first time: {first.said}")
            return
        second = self._probe.get(address, "text/html")
        if second.is_none:
            self._report.said("asking.once", second)
            return
        fault = page_fault(second)
        self._report.judge("asking.once", f"a second time: {fault}" if fault else None)

    def _check_purchases(self) -> None:
        url, unknown = self._city.entry.endpoints.token, secrets.token_urlsafe(32)
        own = self._listed.others[self._asker.code].entry
        code = {
            "grant_type": AUTHORIZATION_CODE,
            "code": unknown,
            "redirect_uri": own.redirect_uris[0],
            "code_verifier": unknown,
        }
        exchange = {
            "grant_type": TOKEN_EXCHANGE,
            "subject_token": unknown,
            "subject_token_type": ACCESS_TOKEN,
            "audience": own.issuer,
        }
        for name, form in zip(_BUYS, (code, exchange), strict=True):
            answer = self._probe.post(url, form | self._proof())
            refused(self._report, name, answer, {(400, "invalid_grant")})

    def _request(self, wanted: list[str]) -> dict[str, str]:
        own = self._listed.others[self._asker.code].entry
        return {
            "response_type": "code",
            "redirect_uri": own.redirect_uris[0],
            "scope": " ".join(SCOPE_PREFIX + each for each in wanted),
            "state": secrets.token_urlsafe(24),
            "code_challenge": b64url(hashlib.sha256(secrets.token_bytes(32)).digest()),
            "code_challenge_method": "S256",
            "cnf_jkt": b64url(hashlib.sha256(secrets.token_bytes(32)).digest()),
        }

    def _push(self, form: Mapping[str, str]) -> Answer:
        return self._probe.post(self._city.entry.endpoints.par, {**form, **self._proof()})

    def _proof(self, assertion: str | None = None) -> dict[str, str]:
        return {
            "client_id": self._asker.code,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self._asker.assertion(self._city.entry.issuer),
        }


def skip_asking(report: Report, why: str) -> None:
    """Nobody asks."""
    for name in (*_PUSHES, *_BUYS, *_REST):
        report.skip(name, why)


def _elsewhere(right: Mapping[str, str]) -> str:
    """An address that begins like the right one."""
    return right["redirect_uri"] + "/more"

"""A region for tests: cities with keys and operators, agreements they sign, and its signed list.

Tokens are made by the forger's workshop (tests/gateway/forge.py), not by the gateway, so that the
two check each other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from gateway.claims import Kind
from gateway.jwk import Alg, Key, public_jwk
from gateway.recognition.region import Region, parse_region
from tests.gateway import forge

ISS = "https://region.example"
URL = "https://region.example/cities"
TERMS = {"from": "2026-01-01", "to": "2028-01-01"}
SCHEME = {"id": "example-delta", "version": 1}
PURPOSES = ("client", "grant", "status")

Private = ec.EllipticCurvePrivateKey


def new_key() -> Private:
    return ec.generate_private_key(ec.SECP256R1())


def jwk_of(kid: str, private: Private) -> dict[str, str]:
    return public_jwk(Key(kid, Alg.ES256, private.public_key()))


class City:
    """A city's own side: its private keys, its entry, what its operators sign."""

    def __init__(self, code: str, *, issuer: str = "", operators: int = 3) -> None:
        self.code = code
        self.issuer = issuer or f"https://{code}.example"
        self.keys: list[tuple[str, str, Private]] = [
            (purpose, f"{purpose}-{code}", new_key()) for purpose in PURPOSES
        ]
        self.operators: list[tuple[str, str, Private]] = [
            (f"示例-{code}-{n}", f"operator-{code}-{n}", new_key()) for n in range(operators)
        ]
        self.changes: dict[str, Any] = {}

    def entry(self) -> dict[str, Any]:
        base = self.issuer
        keys = [{"purpose": p, "jwk": jwk_of(kid, key)} for p, kid, key in self.keys]
        operators = [{"name": name, "jwk": jwk_of(kid, key)} for name, kid, key in self.operators]
        entry = {
            "code": self.code,
            "name": {"zh": f"示例城市 {self.code}", "en": f"Example city {self.code}"},
            "contact": "示例：0571-00000000",
            "issuer": base,
            "endpoints": {
                "par": f"{base}/oauth/par",
                "authorize": f"{base}/oauth/authorize",
                "token": f"{base}/oauth/token",
            },
            "redirect_uris": [f"{base}/recognition/callback"],
            "scenarios": ["library", "rent"],
            "schemes": [SCHEME],
            "keys": keys,
            "operators": operators,
        }
        return {k: v for k, v in (entry | self.changes).items() if v is not ...}

    def says(self, operator: int, act: str, cities: Sequence[str], at_s: int, **claims: Any) -> str:
        """A statement of one of its operators, as a compact JWS."""
        _, kid, key = self.operators[operator]
        terms = dict.fromkeys(("scenarios", "scheme", "from", "to"), ...)
        said = {"iss": self.issuer, "aud": ISS, "act": act, "cities": list(cities), "iat": at_s}
        body = forge.payload(Kind.AGREEMENT, **(({} if act == "sign" else terms) | said | claims))
        return forge.token(forge.header(Kind.AGREEMENT, kid=kid), body, key)


class TestRegion:
    """The region: who is in its list, and what was signed."""

    __test__ = False

    def __init__(self, *cities: City, url: str = URL) -> None:
        self.private, self.kid, self.url = new_key(), "region-1", url
        self.cities = list(cities)
        self.agreements: dict[str, list[str]] = {}
        self.serial = 1

    def pin(self) -> bytes:
        """The file that every city pins."""
        return json.dumps({"iss": ISS, "keys": [jwk_of(self.kid, self.private)]}).encode()

    def region(self) -> Region:
        return parse_region(self.pin())

    def agree(self, name: str, low: City, high: City, at_s: int, **terms: Any) -> None:
        """Two operators of each sign the same."""
        cities = [low.code, high.code]
        self.agreements.setdefault(name, []).extend(
            city.says(n, "sign", cities, at_s, agreement=name, **terms)
            for city in (low, high)
            for n in (0, 1)
        )

    def say(self, name: str, city: City, act: str, at_s: int, *, operators: int = 2) -> None:
        """So many operators of a city say the same about an agreement with its partner."""
        pair = [each.code for each in self.cities[:2]]
        self.agreements[name] += [
            city.says(n, act, pair, at_s, agreement=name) for n in range(operators)
        ]

    def payload(self, now_s: int, **changes: Any) -> bytes:
        claims = {
            "iss": ISS,
            "sub": self.url,
            "iat": now_s,
            "exp": now_s + 60,
            "ttl": 10,
            "serial": self.serial,
            "cities": [city.entry() for city in self.cities],
            "agreements": [
                {"id": name, "statements": said} for name, said in self.agreements.items()
            ],
        }
        return forge.dumps(claims | changes)

    def token(self, now_s: int, *, key: Private | None = None, **changes: Any) -> str:
        """The list, signed now."""
        head = forge.header(Kind.TRUST_LIST, kid=self.kid)
        return forge.token(head, self.payload(now_s, **changes), key or self.private)

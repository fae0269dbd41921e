"""Faults of a grant itself: its form, what it carries, for whom and when."""

from __future__ import annotations

from typing import Any

from tests.protocol.making.cases import Group
from tests.protocol.making.forgeries import Honest, forgeries
from tests.protocol.making.grant import (
    BY,
    TYP,
    claims,
    follows,
    grant,
    said,
    status,
)
from tests.protocol.making.jws import GONE, dumps, header, signed
from tests.protocol.making.world import ISSUERS, KEYS, NOW, A, B, C, key


def form(group: Group) -> None:
    for name, why, reason, forged in forgeries(Honest(TYP, claims(), BY)):
        group.refuse(name, why, reason, assertion=forged)
    for purpose in ("client", "status"):
        forged = grant(key(A, purpose))
        why = f"A7: A's key, but for the purpose {purpose}"
        group.refuse(f"kid-of-{purpose}", why, "key", assertion=forged)
    for name, by in (("own", key(B, "grant")), ("other-city", key(C, "grant"))):
        group.refuse(f"kid-{name}", "A7: another city's grant key", "key", assertion=grant(by))
    for typ in ("JWT", "client-authentication+jwt", "statuslist+jwt", "trust-list+jwt",
                "recognition-agreement+jws", "dpop+jwt", "at+jwt"):  # fmt: skip
        forged = signed(header(typ, BY), claims(), BY)
        group.refuse(f"typ-{typ}", f"A14: typ is {typ}", "type", assertion=forged)


def payloads(group: Group) -> None:
    for name, value in (("score", 780), ("band", 4), ("name", "示例"), ("limit_fen", 50_000)):
        forged = grant(BY, **{name: value})
        why = f"a grant never carries a {name}"
        group.refuse(f"carries-{name}", why, "claims", assertion=forged)
    inner = grant(recognition=said(band=4))
    group.refuse("carries-band-within", "nor within `recognition`", "claims", assertion=inner)
    for name in claims():
        why = f"{name} is missing"
        group.refuse(f"without-{name}", why, "claims", assertion=grant(**{name: GONE}))
    odd: dict[str, dict[str, Any]] = {
        "no-scenarios": {"recognition": said(scenarios=[])},
        "scenario-text": {"recognition": said(scenarios="library")},
        "as-of-moment": {"recognition": said(as_of="2026-09-01T00:00:00Z")},
        "as-of-no-day": {"recognition": said(as_of="2026-02-30")},
        "consent-no-uuid": {"recognition": said(consent_id="consent-1")},
        "revision-short": {"recognition": said(policy_revision="0123")},
        "cnf-jwk": {"cnf": {"jwk": KEYS["visitor"].required}},
        "sub-empty": {"sub": ""},
        "idx-negative": {"status": status(idx=-1)},
        "idx-text": {"status": status(idx="4711")},
    }
    for name, changes in odd.items():
        group.refuse(name, "malformed", "claims", assertion=grant(**changes))


def parties(group: Group) -> None:
    own, home = ISSUERS[B], ISSUERS[A]
    for name, aud, reason in (
        ("array", [own], "claims"),
        ("array-of-two", [own, ISSUERS[C]], "claims"),
        ("other-city", ISSUERS[C], "audience"),
        ("code", B, "audience"),
        ("slash", own + "/", "audience"),
        ("token-endpoint", own + "/oauth/token", "audience"),
        ("prefix", own[:-1], "audience"),
        ("empty", "", "claims"),
    ):
        group.refuse(f"aud-{name}", "A12: aud is not this city", reason, assertion=grant(aud=aud))
    for name, iss in (
        ("slash", home + "/"),
        ("suffix", home + ".evil.example"),
        ("prefix", home[:-1]),
        ("upper", home.replace("credit", "Credit")),
        ("port", home + ":443"),
        ("code", A),
        ("region", "https://region.example"),
    ):
        group.refuse(f"iss-{name}", "A13: iss is no city's", "issuer", assertion=grant(iss=iss))
    group.refuse("iss-array", "A13: iss is an array", "claims", assertion=grant(iss=[home]))
    group.refuse(
        "iss-mix-up", "another city's iss under A's key", "issuer", assertion=grant(iss=ISSUERS[C])
    )
    group.refuse("client-other", "the client is not the one named", "client", client=C)
    group.refuse("client-none", "no client authenticated", "client", client=None)
    group.refuse(
        "client-id-other", "it names another client", "client", assertion=grant(client_id=C)
    )
    group.refuse("another-citys", "A20: minted for another city", "audience",
                 assertion=grant(aud=ISSUERS[C], client_id=C))  # fmt: skip


def times(group: Group) -> None:
    for name in ("iat", "exp"):
        for label, odd in (("text", str(NOW)), ("fraction", NOW + 0.5), ("true", True),
                           ("negative", -1), ("huge", 2**63), ("null", None)):  # fmt: skip
            why = f"A11: {name} is {label}"
            group.refuse(f"{name}-{label}", why, "claims", assertion=grant(BY, **{name: odd}))
    for label, raw in (("1e400", b"1e400"), ("nan", b"NaN")):
        body = signed(header(TYP, BY), raw_exp(raw), BY)
        group.refuse(f"exp-{label}", "A11: no number", "claims", assertion=body)
    group.accept("last-second", "A11: it ends with the next second", follows(),
                 assertion=grant(iat=NOW - 59, exp=NOW + 1))  # fmt: skip
    group.refuse("ended", "A11: it ends now", "expired", assertion=grant(iat=NOW - 60, exp=NOW))
    group.refuse("long-life", "A11: 61 s of life", "lifetime", assertion=grant(exp=NOW + 56))
    group.refuse("no-life", "A11: it ends as it begins", "lifetime",
                 assertion=grant(iat=NOW + 5, exp=NOW + 5))  # fmt: skip
    group.accept("clock-ahead", "A's clock is 10 s ahead", follows(),
                 assertion=grant(iat=NOW + 10, exp=NOW + 60))  # fmt: skip
    group.refuse("clock-too-far-ahead", "A's clock is 11 s ahead", "not-yet",
                 assertion=grant(iat=NOW + 11, exp=NOW + 60))  # fmt: skip


def raw_exp(raw: bytes) -> bytes:
    return dumps(claims()).replace(f'"exp":{NOW + 55}'.encode(), b'"exp":' + raw)

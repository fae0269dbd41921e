"""`assertions.json`: client assertions, by which one city authenticates at another (RFC 7523)."""

from __future__ import annotations

from typing import Any

from tests.protocol.making.cases import Group
from tests.protocol.making.forgeries import Honest, forgeries
from tests.protocol.making.jws import GONE, Pair, header, signed
from tests.protocol.making.world import ISSUERS, NOW, A, B, C, entry, key

TYP = "client-authentication+jwt"
BY = key(B, "client")
JTI = "assertion-0001"


def claims(**changes: Any) -> dict[str, Any]:
    """The payload of the honest assertion, with changes."""
    return {"iss": B, "sub": B, "aud": ISSUERS[A], "jti": JTI, "iat": NOW - 2,
            "exp": NOW + 58} | changes  # fmt: skip


def assertion(by: Pair = BY, /, **changes: Any) -> str:
    """The honest assertion, with changes to its payload."""
    return signed(header(TYP, by), claims(**changes), by)


def make() -> Group:
    """The file."""
    group = Group(
        "Section 6, steps 2, 5, 6: which city does the `assertion` prove to the city `issuer`, at "
        "`now`? `cities` is what a good trust list says; `seen` are pairs of iss and jti.",
        {
            "now": NOW,
            "issuer": ISSUERS[A],
            "assertion": assertion(),
            "cities": [entry(A), entry(B), entry(C)],
            "seen": [],
        },
    )
    for part in (_good, _faults, _form):
        part(group)
    return group


def _good(group: Group) -> None:
    group.accept("plain", "nothing is wrong", {"client": B})
    plain = signed(header("JWT", BY), claims(), BY)
    group.accept("typ-jwt", "many libraries write JWT", {"client": B}, assertion=plain)
    group.accept("third-city", "another city", {"client": C},
                 assertion=assertion(key(C, "client"), iss=C, sub=C))  # fmt: skip
    group.accept("300-s", "300 s of life", {"client": B}, assertion=assertion(exp=NOW + 298))
    group.accept("more-claims", "further claims are ignored", {"client": B},
                 assertion=assertion(note="示例"))  # fmt: skip


def _faults(group: Group) -> None:
    for name, why, reason, changes in (
        ("aud-array", "aud is an array", "claims", {"aud": [ISSUERS[A]]}),
        ("aud-token-endpoint", "aud is the token endpoint", "audience",
         {"aud": f"{ISSUERS[A]}/oauth/token"}),
        ("aud-slash", "aud has a slash at the end", "audience", {"aud": ISSUERS[A] + "/"}),
        ("aud-other", "aud is another city", "audience", {"aud": ISSUERS[C]}),
        ("iss-issuer", "iss and sub are the issuer, not the code", "key",
         {"iss": ISSUERS[B], "sub": ISSUERS[B]}),
        ("sub-other", "sub is not iss", "issuer", {"sub": C}),
        ("iss-other", "another city's code", "key", {"iss": C, "sub": C}),
        ("over", "it has ended", "expired", {"iat": NOW - 60, "exp": NOW}),
        ("long-life", "301 s of life", "lifetime", {"exp": NOW + 299}),
        ("ahead", "from 11 s ahead", "not-yet", {"iat": NOW + 11}),
        ("nbf-ahead", "not before 11 s ahead", "not-yet", {"nbf": NOW + 11}),
        ("no-jti", "jti is missing", "claims", {"jti": GONE}),
        ("no-exp", "exp is missing", "claims", {"exp": GONE}),
    ):  # fmt: skip
        group.refuse(name, why, reason, assertion=assertion(BY, **changes))
    for use in ("grant", "status", "operator-1"):
        group.refuse(f"by-{use}", f"by B's key of another purpose: {use}", "key",
                     assertion=assertion(key(B, use)))  # fmt: skip
    gone = [entry(A), entry(C)]
    group.refuse("city-gone", "B is not in the list", "key", cities=gone)
    group.refuse("replay", "seen before", "replay", seen=[[B, JTI]])
    group.accept("same-jti-other-city", "another city has used the jti", {"client": B},
                 seen=[[C, JTI]])  # fmt: skip


def _form(group: Group) -> None:
    wanted = {"alg-none-unsigned", "alg-none-signed", "hmac-pem", "signature-zeros", "header-jku",
              "header-jwk", "header-crit", "spelling-padded", "member-twice"}  # fmt: skip
    for name, why, reason, forged in forgeries(Honest(TYP, claims(), BY)):
        if name in wanted:
            group.refuse(name, why, reason, assertion=forged)
    for typ in ("recognition+jwt", "dpop+jwt", "at+jwt", "recognition-agreement+jws"):
        group.refuse(f"typ-{typ}", f"typ is {typ}", "type",
                     assertion=signed(header(typ, BY), claims(), BY))  # fmt: skip

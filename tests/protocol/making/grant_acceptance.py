"""A good grant, and faults of what it stands beside: agreement, scheme, key, attempt, status."""

from __future__ import annotations

from tests.protocol.making.cases import Group
from tests.protocol.making.grant import (
    ATTEMPT,
    STATUS,
    agreed,
    follows,
    grant,
    said,
    status,
    twin,
)
from tests.protocol.making.world import ISSUERS, KEYS, NOW, A, B, C, entry, key, named, uid


def good(group: Group) -> None:
    group.accept("plain", "nothing is wrong", follows())
    ed = key(A, "grant-ed")
    keys = [*entry(A)["keys"], named(A, "grant", "grant-ed")]
    rotated = [entry(A, keys=keys), entry(B), entry(C)]
    group.accept(
        "eddsa", "by a second grant key, Ed25519", follows(), assertion=grant(ed), cities=rotated
    )
    both = grant(recognition=said(tier="T2", scenarios=["library", "rent"]))
    opened = follows(tier="T2", band=4, scenarios=["library", "rent"], limits={"rent": 50_000})
    group.accept("two-scenarios", "T2 suffices for both", opened, assertion=both)
    higher = grant(recognition=said(tier="T3"))
    group.accept("higher-tier", "more than is needed", follows(tier="T3", band=5), assertion=higher)
    at_c = grant(key(C, "grant"), iss=ISSUERS[C], status=status(f"{ISSUERS[C]}/status-lists/9"))
    group.accept(
        "other-home",
        "a citizen of the third city",
        follows(home=C),
        assertion=at_c,
        attempt=ATTEMPT | {"home": C},
        status=STATUS | {"uri": f"{ISSUERS[C]}/status-lists/9"},
    )
    group.accept(
        "twin", "A5: the other signature (r, n - s) of a grant", follows(), assertion=twin()
    )


def terms(group: Group) -> None:
    others = [agreed(C, B)]
    group.refuse("no-agreement", "A16: suspended, over or ended", "agreement", agreements=others)
    expelled = [entry(B), entry(C)]
    group.refuse("expelled", "A16: A is not in the list any more", "agreement", cities=expelled)
    group.refuse("list-over", "A20: the trust list has ended", "agreement", trust_until=NOW)
    new = [entry(A, keys=[named(A, "client"), named(A, "grant", "grant-ed"), named(A, "status")])]
    group.refuse("rotated", "A16: the key was taken out", "key", cities=[*new, entry(B), entry(C)])
    wider = grant(recognition=said(scenarios=["library", "points"]))
    group.refuse(
        "wider-scope", "A20: a scenario that is not agreed on", "scenario", assertion=wider
    )
    points = [agreed(A, B, scenarios=["library", "points", "rent"]), agreed(C, B)]
    group.refuse("not-open-at-home", "A20: agreed on, but not in A's entry", "scenario",
                 assertion=wider, agreements=points)  # fmt: skip
    narrow = [entry(A), entry(B, scenarios=["rent"]), entry(C)]
    group.refuse("not-open-here", "A20: agreed on, but not in B's entry", "scenario", cities=narrow)
    few = ATTEMPT | {"scenarios": ["rent"]}
    group.refuse("not-asked", "a scenario that the visitor did not ask for", "scenario",
                 attempt=few)  # fmt: skip
    twice = grant(recognition=said(scenarios=["library", "library"]))
    group.refuse("scenario-twice", "a scenario is named twice", "scenario", assertion=twice)
    for name, changes, reason in (
        ("scheme-other", {"scheme": "another-delta"}, "scheme"),
        ("scheme-version", {"scheme_version": 2}, "scheme"),
        ("tier-unknown", {"tier": "T9"}, "tier"),
        ("tier-too-low", {"scenarios": ["rent"]}, "tier"),
        ("tier-too-low-for-one", {"scenarios": ["library", "rent"]}, "tier"),
    ):
        forged = grant(recognition=said(**changes))
        group.refuse(name, "not by the agreement's scheme", reason, assertion=forged)
    group.refuse("scheme-unknown-here", "B has no such scheme", "scheme", scheme=None)


def bindings(group: Group) -> None:
    other = KEYS["visitor-2"].thumbprint
    group.refuse("proof-other-key", "stolen: proven by another key", "binding", proof_jkt=other)
    group.refuse("proof-none", "stolen: no proof", "proof", proof_jkt=None)
    for name, why, changes in (
        ("attempt-other-home", "mix-up: begun for another city", {"home": C}),
        ("attempt-other-key", "begun with another key", {"jkt": other}),
        ("attempt-other-browser", "login CSRF: begun in another browser", {"browser": "browser-2"}),
        ("attempt-not-returned", "the browser has not come back", {"returned": False}),
        ("attempt-presented", "presented before", {"presented": True}),
    ):
        group.refuse(name, why, "attempt", attempt=ATTEMPT | changes)
    group.refuse("attempt-none", "nobody began at B", "attempt", attempt=None)
    stolen = grant(cnf={"jkt": other})
    group.refuse("bound-to-other-key", "proof and attempt agree, the grant does not", "binding",
                 assertion=stolen)  # fmt: skip


def once(group: Group) -> None:
    jti = uid("grant")
    group.refuse("replay", "A15: accepted before", "replay", accepted=[[ISSUERS[A], jti]])
    group.refuse("replay-twin", "A15: accepted before by its other signature", "replay",
                 accepted=[[ISSUERS[A], jti]], assertion=twin())  # fmt: skip
    group.accept("same-jti-elsewhere", "another city has used the jti", follows(),
                 accepted=[[ISSUERS[C], jti]])  # fmt: skip
    group.refuse("older", "a later one of this visitor was accepted", "older", last_iat=NOW - 4)
    group.accept("as-old", "one of the same second was accepted", follows(), last_iat=NOW - 5)


def status_bits(group: Group) -> None:
    group.refuse("revoked", "the bit is 1", "status", assertion=grant(status=status(idx=999)))
    group.refuse("no-list", "no list was ever read", "stale", status=None)
    beyond = grant(status=status(idx=131072))
    group.refuse("index-beyond", "there is no such entry", "status", assertion=beyond)
    group.accept(
        "last-index", "the last entry", follows(), assertion=grant(status=status(idx=131071))
    )
    foreign = f"{ISSUERS[A]}.evil.example/status-lists/1"
    for name, uri in (("foreign", foreign), ("other-city", f"{ISSUERS[C]}/status-lists/1")):
        group.refuse(f"list-{name}", "a list that is not under A's issuer", "status",
                     assertion=grant(status=status(uri)), status=STATUS | {"uri": uri})  # fmt: skip
    group.accept("barely-fresh", "39 s after its iat", follows(), status=STATUS | {"iat": NOW - 39})
    group.refuse("stale-by-iat", "40 s after its iat", "stale", status=STATUS | {"iat": NOW - 40})
    group.refuse("stale-by-fetch", "A's clock is ahead: 40 s after the fetch began", "stale",
                 status=STATUS | {"iat": NOW + 5, "fetch_began": NOW - 40})  # fmt: skip

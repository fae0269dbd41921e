"""`agreements.json`: statements, and the state that they make."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.protocol.making.cases import Group
from tests.protocol.making.jws import GONE, Pair, header, signed
from tests.protocol.making.world import (
    ISSUERS,
    KEYS,
    NOW,
    REGION,
    SCHEME_NAME,
    A,
    B,
    C,
    entry,
    key,
)

TYP = "recognition-agreement+jws"
NAME = "hangzhou-ningbo-1"
#: When the statements of the honest agreement were made.
THEN = NOW - 86_400 * 30
TERMS: dict[str, Any] = {
    "scenarios": ["library", "rent"],
    "scheme": SCHEME_NAME,
    "from": "2026-09-01",
    "to": "2027-09-01",
}
_NO_TERMS = dict.fromkeys(TERMS, GONE)
OPEN = {"cities": [A, B], "scenarios": ["library", "rent"], "scheme": SCHEME_NAME}


def said(code: str, **changes: Any) -> dict[str, Any]:
    """What an operator of a city signs: the honest terms, with changes."""
    return {
        "iss": ISSUERS[code],
        "aud": REGION,
        "iat": THEN,
        "agreement": NAME,
        "act": "sign",
        "cities": [A, B],
        **TERMS,
    } | changes


def statement(code: str, n: int, by: Pair | None = None, /, **changes: Any) -> str:
    """The statement of a city's operator, by its own key or another, with changes."""
    signer = by or key(code, f"operator-{n}")
    return signed(header(TYP, signer), said(code, **changes), signer)


def act(act: str, code: str, n: int, after: int, **changes: Any) -> str:
    """A statement without terms, so many seconds after the signatures."""
    return statement(code, n, act=act, iat=THEN + after, **_NO_TERMS, **changes)


def acts(name: str, code: str, after: int) -> list[str]:
    """The same by the first two operators of a city."""
    return [act(name, code, 1, after), act(name, code, 2, after)]


SIGNED = [statement(code, n) for code in (A, B) for n in (1, 2)]


def at(moment: str) -> int:
    """Seconds of an RFC 3339 moment."""
    return int(datetime.fromisoformat(moment).astimezone(UTC).timestamp())


def make() -> Group:
    """The file."""
    group = Group(
        "Section 3.1: is the agreement in force at `now`, by its `statements` and the entries of "
        "the cities, and on what? Where it is not, the reason is its state.",
        {
            "now": NOW,
            "region": REGION,
            "agreement": NAME,
            "cities": [entry(A), entry(B), entry(C)],
            "statements": SIGNED,
        },
    )
    for part in (_signing, _not_counted, _terms, _dates, _suspending, _ending):
        part(group)
    return group


def _signing(group: Group) -> None:
    group.accept("four", "two operators of each city", OPEN)
    group.accept("shuffled", "order means nothing", OPEN, statements=SIGNED[::-1])
    group.accept("five", "a third operator of A", OPEN, statements=[*SIGNED, statement(A, 3)])
    group.accept("twice-each", "the same again", OPEN, statements=SIGNED * 2)
    ed = {"name": "operator-ed", "jwk": KEYS[f"{B}-operator-ed"].jwk}
    eddsa = entry(B, operators=[*entry(B)["operators"], ed])
    group.accept("eddsa", "an operator of B signs by Ed25519", OPEN,
                 cities=[entry(A), eddsa, entry(C)],
                 statements=[*SIGNED[:3], statement(B, 0, KEYS[f"{B}-operator-ed"])])  # fmt: skip
    group.refuse("none", "nobody signed", "proposed", statements=[])
    group.refuse("three", "one of B is missing", "proposed", statements=SIGNED[:3])
    group.refuse("one-city", "three of A, none of B", "proposed",
                 statements=[statement(A, n) for n in (1, 2, 3)])  # fmt: skip
    again = [*SIGNED[:3], statement(B, 1, iat=THEN + 60)]
    group.refuse("same-operator", "an operator of B signs twice", "proposed", statements=again)
    turned = [*SIGNED[:3], statement(B, 2, scenarios=["rent", "library"])]
    group.accept("reordered-scenarios", "the same scenarios in another order", OPEN,
                 statements=turned)  # fmt: skip


def _not_counted(group: Group) -> None:
    """Three good signatures, and a fourth that is not one."""
    for name, why, fourth in (
        ("stranger", "by a stranger's key", statement(B, 2, KEYS["stranger"])),
        ("third-city", "by an operator of a third city", statement(C, 1)),
        ("borrowed-name", "A's operator in B's name", statement(B, 3, key(A, "operator-3"))),
        ("grant-key", "by B's grant key", statement(B, 2, key(B, "grant"))),
        ("other-region", "for another region", statement(B, 2, aud="https://other.example")),
        ("code-as-iss", "in the name of B's code", statement(B, 2, iss=B)),
        ("other-agreement", "under another id", statement(B, 2, agreement="hangzhou-ningbo-2")),
        ("descending", "the cities descend", statement(B, 2, cities=[B, A])),
        ("other-pair", "of two other cities", statement(B, 2, cities=[B, C])),
        ("no-terms", "a signature of nothing", statement(B, 2, **_NO_TERMS)),
        ("empty-scenarios", "no scenarios", statement(B, 2, scenarios=[])),
        ("backwards", "it ends before it begins", statement(B, 2, to="2026-08-31")),
        ("unknown-member", "with a member more", statement(B, 2, note="示例")),
        ("tomorrow", "dated tomorrow", statement(B, 2, iat=NOW + 86_400)),
        ("ahead", "dated 11 s ahead", statement(B, 2, iat=NOW + 11)),
        ("typ", "typ is JWT", _typed("JWT")),
        ("text", "no JWS", "statement"),
    ):
        given = [*SIGNED[:3], fourth]
        group.refuse(f"fourth-{name}", f"the fourth is {why}", "proposed", statements=given)
    ahead = [*SIGNED[:3], statement(B, 2, iat=NOW + 10)]
    group.accept("fourth-clock", "the fourth is dated 10 s ahead: clocks differ", OPEN,
                 statements=ahead)  # fmt: skip
    without = entry(B, operators=entry(B)["operators"][::2])
    group.refuse("operator-gone", "an operator of B has left", "proposed",
                 cities=[entry(A), without, entry(C)])  # fmt: skip
    gone = [entry(A), entry(C)]
    group.refuse("city-gone", "B is not in the list any more", "proposed", cities=gone)


def _typed(typ: str) -> str:
    signer = key(B, "operator-2")
    return signed(header(typ, signer), said(B), signer)


def _terms(group: Group) -> None:
    for name, other in (
        ("scenarios", {"scenarios": ["library"]}),
        ("scheme", {"scheme": {"id": "vector-delta", "version": 2}}),
        ("from", {"from": "2026-09-02"}),
        ("to", {"to": "2028-09-01"}),
    ):
        mixed = [*SIGNED[:3], statement(B, 2, **other)]
        group.refuse(f"mixed-{name}", f"one signed other terms: {name}", "proposed",
                     statements=mixed)  # fmt: skip
    both = [*SIGNED, *(statement(code, n, to="2028-09-01") for code in (A, B) for n in (1, 2))]
    group.refuse("two-texts", "both signed two different texts under one id", "disputed",
                 statements=both)  # fmt: skip
    more = [*SIGNED, *(statement(A, n, to="2028-09-01", iat=THEN + 60) for n in (1, 2))]
    group.accept("one-sided-change", "A alone signs other terms later", OPEN, statements=more)


def _dates(group: Group) -> None:
    first, end = at("2026-09-01T00:00:00+08:00"), at("2027-09-01T00:00:00+08:00")
    group.accept("first-second", "the first day begins in Shanghai", OPEN, now=first)
    group.refuse("second-before", "a second before", "coming", now=first - 1)
    group.accept("last-second", "the last second of the last day in Shanghai", OPEN, now=end - 1)
    group.refuse("second-after", "`to` begins in Shanghai", "expired", now=end)
    group.refuse("utc-day", "it is the first day in UTC's eyes no sooner than in Shanghai's",
                 "expired", now=at("2027-08-31T23:00:00Z"))  # fmt: skip


def _suspending(group: Group) -> None:
    def after(*later: str) -> list[str]:
        return [*SIGNED, *later]

    group.refuse("suspended", "by two of A", "suspended", statements=after(*acts("suspend", A, 10)))
    group.refuse("suspended-by-b", "by two of B", "suspended",
                 statements=after(*acts("suspend", B, 10)))  # fmt: skip
    group.accept("suspended-by-one", "one operator is too few", OPEN,
                 statements=after(act("suspend", A, 1, 10)))  # fmt: skip
    group.accept("suspended-by-one-each", "one of each city is too few", OPEN,
                 statements=after(act("suspend", A, 1, 10), act("suspend", B, 1, 10)))  # fmt: skip
    group.accept("suspended-twice-by-one", "one operator, twice", OPEN,
                 statements=after(act("suspend", A, 1, 10), act("suspend", A, 1, 20)))  # fmt: skip
    burdened = [statement(A, n, act="suspend", iat=THEN + 9) for n in (1, 2)]
    group.accept("suspended-with-terms", "a suspension that carries terms is none", OPEN,
                 statements=after(*burdened))  # fmt: skip
    both = acts("suspend", A, 10)
    group.accept("resumed", "by two of the same city, later", OPEN,
                 statements=after(*both, *acts("resume", A, 20)))  # fmt: skip
    group.refuse("resumed-by-one", "one is too few", "suspended",
                 statements=after(*both, act("resume", A, 1, 20)))  # fmt: skip
    group.refuse("resumed-by-other-city", "B cannot lift A's", "suspended",
                 statements=after(*both, *acts("resume", B, 20)))  # fmt: skip
    group.refuse("resumed-before", "the resumption is older", "suspended",
                 statements=after(*both, *acts("resume", A, 5)))  # fmt: skip
    group.refuse("resumed-same-second", "of one second a suspension has the last word",
                 "suspended", statements=after(*both, *acts("resume", A, 10)))  # fmt: skip
    half = [*acts("suspend", B, 10), *acts("resume", A, 20)]
    group.refuse("resumed-half", "both suspended, only A resumed", "suspended",
                 statements=after(*both, *half))  # fmt: skip
    again = [*acts("resume", A, 20), *acts("suspend", A, 30)]
    group.refuse("suspended-again", "resumed, and suspended again", "suspended",
                 statements=after(*both, *again))  # fmt: skip
    changed = [act("suspend", A, 1, 10), act("resume", A, 1, 20), act("suspend", A, 2, 30)]
    group.accept("changed-mind", "one took it back before the second joined", OPEN,
                 statements=after(*changed))  # fmt: skip


def _ending(group: Group) -> None:
    ended = [*SIGNED, *acts("end", B, 10)]
    group.refuse("ended", "by two of B", "ended", statements=ended)
    group.accept("ended-by-one", "one is too few", OPEN, statements=[*SIGNED, act("end", B, 1, 9)])
    group.accept("ended-by-one-each", "one of each city is too few", OPEN,
                 statements=[*SIGNED, act("end", A, 1, 10), act("end", B, 1, 10)])  # fmt: skip
    group.refuse("end-not-resumed", "what ended never returns", "ended",
                 statements=[*ended, *acts("resume", B, 20)])  # fmt: skip
    anew = [statement(code, n, iat=THEN + 60) for code in (A, B) for n in (1, 2)]
    group.refuse(
        "end-not-signed-anew", "not under the same id", "ended", statements=[*ended, *anew]
    )
    group.accept("ended-ahead", "dated ahead: not yet", OPEN, now=THEN + 100,
                 cities=[entry(A), entry(B), entry(C)],
                 statements=[*_early(), *acts("end", B, 200)])  # fmt: skip


def _early() -> list[str]:
    """The honest signatures, of terms that hold already when they are given."""
    return [statement(code, n, **{"from": "2026-08-01"}) for code in (A, B) for n in (1, 2)]

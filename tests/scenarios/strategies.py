"""Random scenarios, citizens, facts and instants, near the edges where rules turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from scenarios import grammar as g
from scenarios.contract import Values
from scenarios.manifest import Clause
from tests.scenarios.worlds import clause, us

DAY_US = 86_400_000_000
_ORDER = st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"])

#: Around the dates on which the sample's parameters and the test calendar change.
_TURNS = [
    us(text)
    for text in (
        "2025-12-20T00:00:00+08:00",
        "2026-01-01T00:00:00+08:00",
        "2026-01-05T08:30:00+08:00",
        "2026-01-10T00:00:00+08:00",
        "2026-02-01T00:00:00+08:00",
        "2026-02-04T18:00:00+08:00",
        "2026-02-06T12:00:00+08:00",
        "2026-02-21T00:00:00+08:00",
    )
]


def instants() -> st.SearchStrategy[int]:
    """An instant at, just before or just after a turn, or some days from it."""
    near = st.sampled_from([-DAY_US, -3_600_000_000, -1, 0, 1, 3_600_000_000, DAY_US])
    return st.builds(int.__add__, st.sampled_from(_TURNS), near | st.integers(0, 9 * DAY_US))


def values(t: int) -> st.SearchStrategy[Values]:
    """What a scenario may know, and an interval around `t` in which it stands."""
    flag = st.booleans()
    fen = st.integers(0, 600)
    mostly = st.sampled_from([True, True, True, False])
    rarely = st.sampled_from([False, False, False, True])
    return st.builds(
        Values,
        since_us=st.integers(max(0, t - 20 * DAY_US), t),
        until_us=st.integers(t + 1, t + 20 * DAY_US),
        known=mostly,
        consent=mostly,
        used_up=rarely,
        probed=rarely,
        suspended=rarely,
        objected=rarely,
        recognised=mostly,
        band=st.integers(0, 5),
        commitment=flag,
        waived_fen=fen,
        visit_limit_fen=st.none() | fen,
        medical_used_fen=fen,
        loans_open=st.integers(0, 25),
        loans_overdue=st.integers(0, 2),
        points_balance=st.integers(0, 3000),
        residency=st.sampled_from([(), ("a",), ("b", "c")]),
        cards=st.sampled_from([(), ("card-7",)]),
        stock=st.none() | st.integers(0, 2),
        party_city=st.sampled_from([None, "330100", "330200"]),
        party_community=st.sampled_from([None, "a", "330106-001"]),
    )


def sample_facts(t: int) -> st.SearchStrategy[dict[str, Any]]:
    """Facts of the sample, each of them sent or not; times lie near `t`."""
    times = near_times(t)
    return st.fixed_dictionaries(
        {},
        optional={
            "amount": st.integers(1, 600),
            "fee": st.integers(0, 600),
            "place": st.sampled_from(["a", "b", "c"]),
            "where": st.sampled_from(["330100", "330200"]),
            "due": times,
            "soon": times,
            "urgent": st.booleans(),
        },
    )


def near_times(t: int) -> st.SearchStrategy[datetime]:
    """A time whose distance from `t` is a few days, exactly or by a microsecond."""
    offsets = st.builds(
        lambda days, plus: timedelta(days=days, microseconds=t + plus),
        st.integers(-2, 6),
        st.sampled_from([-1, 0, 1, 3_600_000_000]),
    )
    return offsets.map(lambda offset: datetime(1970, 1, 1, tzinfo=UTC) + offset)


def clauses() -> st.SearchStrategy[list[Clause]]:
    """A few well-typed clauses over the sample's names."""
    several = st.lists(st.tuples(tests(), st.booleans()), min_size=1, max_size=5)
    return several.map(_named)


def _named(asked: list[tuple[g.Test, bool]]) -> list[Clause]:
    fails = {True: "cannot_assess", False: "standard_path"}
    return [clause(test, fails[hard], f"c{i}") for i, (test, hard) in enumerate(asked)]


def tests() -> st.SearchStrategy[g.Test]:
    """A well-typed test, nested a little."""
    return st.recursive(_atoms(), _nested, max_leaves=5)


def _nested(inner: st.SearchStrategy[g.Test]) -> st.SearchStrategy[g.Test]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(g.All, several) | st.builds(g.Any, several) | st.builds(g.Not, inner)


def _amounts() -> st.SearchStrategy[g.Operand]:
    plain: list[g.Operand] = [g.Standing("waived_fen"), g.Fact("amount"), g.Param("cap")]
    leaf = st.sampled_from(plain) | st.builds(g.Constant, st.integers(0, 600))
    terms = st.lists(leaf, min_size=2, max_size=3).map(tuple)
    return leaf | st.builds(g.Sum, terms) | st.builds(g.Difference, leaf, leaf)


def _atoms() -> st.SearchStrategy[g.Test]:
    known: st.SearchStrategy[g.Operand] = st.sampled_from(
        [g.Standing("waived_fen"), g.Fact("amount"), g.Fact("fee"), g.Param("cap")]
    )
    due = st.sampled_from([g.Fact("due"), g.Fact("soon")])
    days = st.sampled_from([g.Param("span"), g.Param("notice"), g.Constant(1)])
    order = st.sampled_from(["lt", "le", "gt", "ge"])
    ranks = st.sampled_from([g.Param("floor"), g.Constant(3), g.Standing("band")])
    fixed: list[g.Test] = [
        g.WorkingDay(),
        g.Holiday(),
        g.Between(g.Param("opens"), g.Constant("18:00")),
        g.Between(g.Constant("00:00"), g.Constant("12:00")),
        g.Member(g.Fact("place"), g.Standing("residency")),
        g.Member(g.Fact("place"), g.Param("places")),
        g.Member(g.Party("community"), g.Param("places")),
        g.Present(g.Fact("fee")),
        g.Present(g.Fact("soon")),
        g.Present(g.Standing("stock")),
        g.Present(g.Party("city")),
        g.Compare("eq", g.Fact("where"), g.Party("city")),
        g.Compare("ne", g.Fact("where"), g.Constant("330100")),
        g.Compare("ge", g.Standing("stock"), g.Constant(1)),
        g.Compare("eq", g.Standing("commitment"), g.Fact("urgent")),
        g.Compare("lt", g.Fact("soon"), g.Fact("due")),
    ]
    return st.one_of(
        st.sampled_from(fixed),
        st.builds(g.Compare, _ORDER, known, _amounts()),
        st.builds(g.Compare, _ORDER, st.just(g.Standing("band")), ranks),
        st.builds(g.Compare, order, st.just(g.Now()), due),
        st.builds(g.Compare, order, due, st.just(g.Now())),
        st.builds(g.Within, due, at_least_days=days),
        st.builds(g.Within, due, at_most_days=days),
        st.builds(g.Within, due, at_least_days=days, at_most_days=days),
    )

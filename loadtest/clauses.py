"""Parts of which generated scenarios are made: a clause with what it needs and the cases it wants.

Each part is one question of the closed grammar. It says what breaks it, and nothing but it, so a
generated scenario can be given cases that its rule must agree with.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any

import msgspec

#: The instant of every generated case: a Monday morning, a working day.
AT = datetime(2026, 11, 2, 10, 0, tzinfo=timezone(timedelta(hours=8)))

#: Parameters begin here; most change once, before `AT`.
START, CHANGED = date(2026, 1, 1), date(2026, 7, 1)

_SOURCE = {"source": "示例：用于性能测量的虚构数字", "illustrative": True}


class Break(msgspec.Struct, frozen=True):
    """What makes a clause fail: other values, other facts, another instant."""

    values: Mapping[str, Any] = {}
    facts: Mapping[str, Any] = {}
    at: datetime | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A clause as TOML would spell it, and all that it brings along.

    `facts` are required facts unless they say `optional`; `baseline` holds values and facts with
    which the clause is met; `breaks` are the ways in which it alone is not.
    """

    id: str
    when: Mapping[str, Any]
    breaks: tuple[Break, ...]
    fails: str = "standard_path"
    reads: tuple[str, ...] = ()
    facts: tuple[Mapping[str, Any], ...] = ()
    parameters: tuple[Mapping[str, Any], ...] = ()
    values: Mapping[str, Any] = {}
    sent: Mapping[str, Any] = {}
    example: Mapping[str, Any] = {}


Maker = Callable[[random.Random], Part]


def band(dice: random.Random) -> Part:
    """A band at least the floor."""
    floor = dice.choice((2, 3))
    return Part(
        id="band",
        when={"ge": ["standing.band", "param.band_floor"]},
        breaks=(Break(values={"band": floor - 1}), Break(values={"band": 0})),
        reads=("band",),
        parameters=(_parameter("band_floor", "band", floor, before=1),),
        values={"band": 4},
    )


def commitment(_dice: random.Random) -> Part:
    """A promise that stands."""
    return Part(
        id="commitment",
        when={"eq": ["standing.commitment", True]},
        breaks=(Break(values={"commitment": False}),),
        reads=("commitment",),
        values={"commitment": True},
    )


def exposure(dice: random.Random) -> Part:
    """What is waived, with this amount, within the band's cap."""
    cap, amount = dice.randrange(50_000, 200_000, 1_000), dice.randrange(100, 20_000, 100)
    # The same for every band: the floor is another clause's business.
    cap_fen = _parameter("cap_fen", "fen", [cap] * 6, by="standing.band")
    return Part(
        id="exposure",
        when={"le": [{"sum": ["standing.waived_fen", "fact.amount_fen"]}, "param.cap_fen"]},
        breaks=(Break(values={"waived_fen": cap - amount + 1}),),
        reads=("waived_fen", "band"),
        facts=(_fact("amount_fen", "fen", min=1, max=10_000_000),),
        parameters=(cap_fen,),
        values={"waived_fen": 0, "band": 4},
        sent={"amount_fen": amount},
        example={"amount_fen": amount},
    )


def due(_dice: random.Random) -> Part:
    """A time to return that lies ahead; otherwise the question makes no sense."""
    return Part(
        id="due_ahead",
        fails="cannot_assess",
        when={"gt": ["fact.due_at", "now"]},
        breaks=(Break(facts={"due_at": AT}), Break(facts={"due_at": AT - timedelta(days=1)})),
        facts=(_fact("due_at", "time"),),
        sent={"due_at": AT + timedelta(days=2)},
        example={"due_at": {"in_days": 2}},
    )


def span(dice: random.Random) -> Part:
    """A time to return that is not too far away."""
    days = dice.randrange(5, 60)
    return Part(
        id="span",
        when={"within": {"time": "fact.due_at", "at_most_days": "param.max_days"}},
        breaks=(Break(facts={"due_at": AT + timedelta(days=days, seconds=1)}),),
        facts=(_fact("due_at", "time"),),
        parameters=(_parameter("max_days", "days", days, before=3),),
        sent={"due_at": AT + timedelta(days=2)},
        example={"due_at": {"in_days": 2}},
    )


def kinds(dice: random.Random) -> Part:
    """A kind of thing that is on the city's list."""
    listed = [f"kind-{number:02}" for number in sorted(dice.sample(range(40), 6))]
    return Part(
        id="kinds",
        when={"in": ["fact.kind", "param.kinds"]},
        breaks=(Break(facts={"kind": "kind-99"}),),
        facts=(_fact("kind", "text", max_length=32, pattern="[a-z0-9-]+"),),
        parameters=(_parameter("kinds", "text", listed, before=listed[:3]),),
        sent={"kind": listed[0]},
        example={"kind": listed[0]},
    )


def card(_dice: random.Random) -> Part:
    """A card that rides on the citizen, where one is shown."""
    shown = {"in": ["fact.card", "standing.cards"]}
    return Part(
        id="card",
        when={"any": [{"not": {"present": "fact.card"}}, shown]},
        breaks=(Break(facts={"card": "stranger"}),),
        reads=("cards",),
        facts=(_fact("card", "card", max_length=64, pattern="[A-Za-z0-9_-]+", optional=True),),
    )


def loans(dice: random.Random) -> Part:
    """Not too many things out at once, and at least one asked for."""
    most = dice.randrange(5, 30)
    within = {"le": [{"sum": ["standing.loans_open", "fact.items"]}, "param.max_items"]}
    return Part(
        id="loans",
        when={"all": [within, {"ne": ["fact.items", 0]}]},
        breaks=(Break(values={"loans_open": most}), Break(facts={"items": 0})),
        reads=("loans_open",),
        facts=(_fact("items", "count", min=0, max=200),),
        parameters=(_parameter("max_items", "count", most, before=2),),
        values={"loans_open": 0},
        sent={"items": 1},
        example={"items": 1},
    )


def free_part(dice: random.Random) -> Part:
    """An amount within what is left of a limit."""
    limit, amount = dice.randrange(30_000, 90_000, 1_000), dice.randrange(100, 10_000, 100)
    left = {"difference": ["param.limit_fen", "standing.medical_used_fen"]}
    return Part(
        id="free_part",
        when={"ge": [left, "fact.bill_fen"]},
        breaks=(Break(values={"medical_used_fen": limit - amount + 1}),),
        reads=("medical_used_fen",),
        facts=(_fact("bill_fen", "fen", min=1, max=10_000_000),),
        parameters=(_parameter("limit_fen", "fen", limit, before=20_000),),
        values={"medical_used_fen": 0},
        sent={"bill_fen": amount},
        example={"bill_fen": amount},
    )


def hours(dice: random.Random) -> Part:
    """Within the hours, or nothing overdue."""
    opens, closes = f"0{dice.randrange(6, 10)}:30", f"{dice.randrange(17, 22)}:00"
    open_now = {"between": ["now", "param.opens", "param.closes"]}
    return Part(
        id="hours",
        when={"any": [open_now, {"lt": ["standing.loans_overdue", 1]}]},
        breaks=(Break(values={"loans_overdue": 1}, at=AT.replace(hour=23)),),
        reads=("loans_overdue",),
        parameters=(
            _parameter("opens", "clock", opens, before="09:30"),
            _parameter("closes", "clock", closes, before="17:00"),
        ),
        values={"loans_overdue": 0},
    )


def working(_dice: random.Random) -> Part:
    """On a working day or outside holidays, or with points to show."""
    any_of = [
        {"working_day": "now"},
        {"not": {"holiday": "now"}},
        {"ge": ["standing.points_balance", 0]},
    ]
    return Part(
        id="working",
        when={"any": any_of},
        # National Day; a balance is never below nothing but in a case.
        breaks=(Break(values={"points_balance": -1}, at=AT.replace(month=10, day=1)),),
        reads=("points_balance",),
        values={"points_balance": 0},
    )


def _fact(name: str, unit: str, **bounds: Any) -> dict[str, Any]:
    words = {"zh": f"事实 {name}（示例）", "en": f"The fact {name}, an example"}
    return {"name": name, "unit": unit, **bounds, **words}


def _parameter(
    name: str, unit: str, value: Any, *, before: Any = None, by: str | None = None
) -> dict[str, Any]:
    """A parameter; with `before`, another value was in force in the first half of the year."""
    dated = [{"from": START, "value": value, **_SOURCE}]
    if before is not None:
        dated = [
            {"from": START, "value": before, **_SOURCE},
            {"from": CHANGED, "value": value, **_SOURCE},
        ]
    words = {"zh": f"参数 {name}（示例）", "en": f"The parameter {name}, an example"}
    return {"name": name, "unit": unit, **({"by": by} if by else {}), **words, "dated": dated}

"""The score in plain words, for the citizen alone: what counted, what did not, what would help.

Every line is an addend, so the lines sum to the score; nothing is rounded or merged away
(深圳经济特区社会信用条例 29: the subject may know the rules and the result).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import msgspec

from scoring.catalogue import Catalogue, Counts, Entry
from scoring.facts import Dimension, Fact, Merit
from scoring.model import (
    NOTHING_LEFT_OUT,
    Aside,
    Factor,
    Kind,
    Model,
    Scored,
    clamp,
    counted,
    score,
    weigh,
)
from scoring.words import Words


class Line(msgspec.Struct, frozen=True):
    """One factor in words. `source`, `department`, `since` and `until` are set for facts only.

    `until` is the first day on which the fact no longer counts; `dimension` is what the points
    belong to, None for the base and the limits of the scale.
    """

    points: int
    words: Words
    department: Words | None = None
    source: str | None = None
    since: date | None = None
    until: date | None = None
    dimension: Dimension | None = None


class NotCounted(msgspec.Struct, frozen=True):
    """A fact on file that does not count today, and why."""

    fact: Fact
    why: Aside
    words: Words


class Help(msgspec.Struct, frozen=True):
    """One step that would raise the score by exactly `points` today."""

    points: int
    words: Words


class Explanation(msgspec.Struct, frozen=True):
    """A score, the lines that sum to it, what does not count, and what would help."""

    score: int
    lines: tuple[Line, ...]
    not_counted: tuple[NotCounted, ...]
    helps: tuple[Help, ...]


_LIMITS = {
    Kind.BASE: Words("基础分", "Base that everybody has"),
    Kind.CLAMP: Words("总分限于0至1000", "The score stays within 0 to 1000"),
}
_ASIDE = {
    Aside.NOT_YET: Words("尚未生效", "not in effect yet"),
    Aside.ENDED: Words("已到期，不再使用", "ended and no longer used"),
    Aside.LEFT_OUT: Words("按您的意愿不计入", "left out as you asked"),
    Aside.RESTATED: Words(
        "已由同一事项的其他记录代替", "restated by another record of the same kind"
    ),
    Aside.UNWEIGHTED: Words("评分模型不使用该记录", "the scoring model does not use it"),
}
#: The reference of facts that `_step` imagines: no import admits it, and it sorts as the newest.
_IMAGINED = "\U0010ffff"


def explain(
    facts: Collection[Fact],
    model: Model,
    catalogue: Catalogue,
    as_of: date,
    leave_out: frozenset[Merit] = NOTHING_LEFT_OUT,
) -> Explanation:
    """Explain the score of one person's facts on `as_of`."""
    scored = score(facts, model, as_of, leave_out)
    return Explanation(
        scored.score,
        tuple(_line(factor, catalogue) for factor in scored.factors),
        _not_counted(facts, scored, model, as_of, leave_out),
        _helps(facts, scored, model, as_of, leave_out),
    )


def _line(factor: Factor, catalogue: Catalogue) -> Line:
    fact, dimension = factor.fact, factor.dimension
    if fact is not None:
        return Line(
            factor.points,
            _fact_words(fact, catalogue.entries[fact.department, fact.code]),
            catalogue.departments[fact.department],
            fact.source,
            fact.effective,
            fact.ends,
            dimension,
        )
    if dimension is not None:
        name = dimension.words
        return Line(
            factor.points,
            Words(f"{name.zh}一项的上下限", f"{name.en}: the limits of this dimension"),
            dimension=dimension,
        )
    return Line(factor.points, _LIMITS[factor.kind])


def _fact_words(fact: Fact, entry: Entry) -> Words:
    """What the record says: `Honour: city`, `Months of bills paid on time …: 18`."""
    level = next((level for level in entry.levels if level.code == fact.value), None)
    if level is None:
        return Words(f"{entry.zh}：{fact.value}", f"{entry.en}: {fact.value}")
    return Words(f"{entry.zh}：{level.zh}", f"{entry.en}: {level.en}")


def _not_counted(
    facts: Collection[Fact], scored: Scored, model: Model, as_of: date, leave_out: frozenset[Merit]
) -> tuple[NotCounted, ...]:
    used = {factor.fact for factor in scored.factors}
    rest = sorted({fact for fact in facts if fact not in used}, key=_order)
    found = []
    for fact in rest:
        points = weigh(fact, model, as_of, leave_out)
        # What would count alone, and does not here, gave way to another record.
        why = points if isinstance(points, Aside) else Aside.RESTATED
        found.append(NotCounted(fact, why, _ASIDE[why]))
    return tuple(found)


def _order(fact: Fact) -> tuple[object, ...]:
    return fact.order


def _helps(
    facts: Collection[Fact], scored: Scored, model: Model, as_of: date, leave_out: frozenset[Merit]
) -> tuple[Help, ...]:
    """What would raise the score, best first.

    Each gain is found by counting the step's dimension once more with the step taken, so it is
    exact under every cap, and a step that would bring nothing is not promised.
    """
    counting = [factor.fact for factor in scored.factors if factor.fact is not None]
    before = dict.fromkeys(Dimension, 0)  # what each dimension adds to the base
    for factor in scored.factors:
        if factor.dimension is not None:
            before[factor.dimension] += factor.points
    total = model.base + sum(before.values())
    helps = []
    for term in model.terms.values():
        advice, dimension = term.weight.advice, term.entry.dimension
        if advice is None:
            continue
        step = _step(term.entry, term.weight.per, counting, as_of)
        # A step moves its own dimension only; the other dimensions' factors stay as they are.
        same = [fact for fact in facts if fact.dimension is dimension]
        taken = sum(points for _, points in counted((*same, step), model, as_of, leave_out))
        after = model.within(dimension, taken)
        gain = clamp(total - before[dimension] + after) - scored.score
        if gain > 0:
            helps.append(Help(gain, advice))
    return tuple(sorted(helps, key=lambda found: (-found.points, found.words.en)))


def _step(entry: Entry, per: int, counting: list[Fact], as_of: date) -> Fact:
    """The next record that would bring points: a new one, or the current one restated higher."""
    value = per
    if entry.counts is Counts.LATEST:
        same = (f for f in counting if (f.department, f.code) == (entry.department, entry.code))
        # Months already gathered towards the next full step are kept.
        value = max((int(f.value) // per * per + per for f in same), default=per)
    return Fact(
        department=entry.department,
        code=entry.code,
        dimension=entry.dimension,
        value=value,
        effective=as_of,
        source=_IMAGINED,
        sphere=entry.sphere,
        merit=entry.merit,
    )

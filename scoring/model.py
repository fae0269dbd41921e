"""From facts to the score: a dated, published, integer sum that anybody can redo by hand.

    score = base + what each fact counts + what each dimension's cap takes off + clamp

Nothing is learnt and nothing is hidden (深圳经济特区社会信用条例 29: published rules, explainable,
no unrelated factor). A better value never lowers the score, a negative fact never raises it, and
the order of the facts never matters; a model file that could break this does not load.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import date

import msgspec

from scoring.bands import HIGHEST, LOWEST
from scoring.catalogue import BadData, Catalogue, Counts, Entry
from scoring.facts import NEGATIVE_YEARS, Dimension, Fact, Merit, Order
from scoring.words import Words


class Weight(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one catalogue entry counts, in points of the score.

    Numbers count `points` for every full `per` units; levels count what `levels` says. `advice`
    tells a citizen how to gain here; where it is absent, nothing is suggested.
    """

    points: int = 0
    per: int = 1
    levels: dict[str, int] = {}
    advice: Words | None = None


class Cap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The least and the most that one dimension adds to the base, in points."""

    least: int
    most: int


class ModelFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of one file of `models/`; weights by department, then code."""

    since: date
    illustrative: bool
    title: Words
    source: str
    base: int
    fade_percent: tuple[int, ...]
    caps: dict[Dimension, Cap]
    weights: dict[str, dict[str, Weight]]


class Term(msgspec.Struct, frozen=True):
    """A weight joined to its catalogue entry."""

    entry: Entry
    weight: Weight
    negative: bool
    latest: bool  # only the newest record counts

    def points(self, value: int | str) -> int | None:
        """Points of a value before fading; None where the entry does not admit it."""
        if isinstance(value, str):
            return self.weight.levels.get(value)
        if not self.entry.admits(value):
            return None
        return value // self.weight.per * self.weight.points


class Model(msgspec.Struct, frozen=True):
    """A checked model, in force from `since` on, joined to the catalogue it was made for."""

    since: date
    illustrative: bool
    base: int
    fade_percent: tuple[int, ...]
    caps: dict[Dimension, Cap]
    terms: dict[tuple[str, str], Term]

    def within(self, dimension: Dimension, points: int) -> int:
        """What a dimension's points add to the base under its cap."""
        cap = self.caps[dimension]
        return min(max(points, cap.least), cap.most)


class Kind(enum.StrEnum):
    """What a factor is: the start, a fact, or one of the two limits."""

    BASE = "base"
    FACT = "fact"
    CAP = "cap"
    CLAMP = "clamp"


class Factor(msgspec.Struct, frozen=True):
    """One addend of the score. The points of all factors sum to it exactly."""

    kind: Kind
    points: int
    dimension: Dimension | None = None
    fact: Fact | None = None


class Scored(msgspec.Struct, frozen=True):
    """A score of 0..1000 and the factors that sum to it."""

    score: int
    factors: tuple[Factor, ...]


class Aside(enum.StrEnum):
    """Why a fact does not count today."""

    NOT_YET = "not_yet"
    ENDED = "ended"
    LEFT_OUT = "left_out"
    RESTATED = "restated"
    UNWEIGHTED = "unweighted"


NOTHING_LEFT_OUT: frozenset[Merit] = frozenset()


def score(
    facts: Iterable[Fact],
    model: Model,
    as_of: date,
    leave_out: frozenset[Merit] = NOTHING_LEFT_OUT,
) -> Scored:
    """The score on the day `as_of`, of the facts of one person.

    `leave_out` names the merits that this person wants left out. A record reported twice counts
    once.
    """
    factors = [Factor(Kind.BASE, model.base)]
    sums = dict.fromkeys(Dimension, 0)
    for fact, points in counted(facts, model, as_of, leave_out):
        factors.append(Factor(Kind.FACT, points, fact.dimension, fact))
        sums[fact.dimension] += points
    total = model.base
    for dimension, points in sums.items():
        within = model.within(dimension, points)
        if within != points:
            factors.append(Factor(Kind.CAP, within - points, dimension))
        total += within
    clamped = clamp(total)
    factors.append(Factor(Kind.CLAMP, clamped - total))
    return Scored(clamped, tuple(factors))


def clamp(total: int) -> int:
    """A sum brought onto the scale."""
    return min(max(total, LOWEST), HIGHEST)


def counted(
    facts: Iterable[Fact], model: Model, as_of: date, leave_out: frozenset[Merit]
) -> list[tuple[Fact, int]]:
    """The facts that count on `as_of`, in a fixed order, each with its points.

    Of several versions of one record the heaviest counts, of restating records the newest; among
    equals the one with more points. So no choice here can turn a better value into a lower score.
    """
    chosen: dict[tuple[str, ...], tuple[Fact, int]] = {}
    for fact in facts:
        points = weigh(fact, model, as_of, leave_out)
        if isinstance(points, Aside):
            continue
        latest = model.terms[fact.department, fact.code].latest
        key = (fact.department, fact.code) if latest else fact.key
        rival = chosen.get(key)
        if rival is None or _rank(fact, points, latest) > _rank(*rival, latest):
            chosen[key] = (fact, points)
    return [chosen[key] for key in sorted(chosen)]


def _rank(fact: Fact, points: int, latest: bool) -> tuple[date, str, int, Order]:
    return fact.effective if latest else date.min, fact.source, abs(points), fact.order


def weigh(
    fact: Fact, model: Model, as_of: date, leave_out: frozenset[Merit] = NOTHING_LEFT_OUT
) -> int | Aside:
    """The points of one fact seen alone on `as_of`, or why it does not count."""
    term = model.terms.get((fact.department, fact.code))
    # The dimension and the sign are the catalogue's to say: a row that says otherwise is not used.
    if (
        term is None
        or term.entry.dimension is not fact.dimension
        or term.negative is (fact.determined is None)
        or (points := term.points(fact.value)) is None
    ):
        return Aside.UNWEIGHTED
    if fact.effective > as_of:
        return Aside.NOT_YET
    ends = fact.ends
    if ends is not None and ends <= as_of:
        return Aside.ENDED
    if term.entry.merit in leave_out:
        return Aside.LEFT_OUT
    return points if fact.determined is None else _faded(points, fact.determined, model, as_of)


def _faded(points: int, determined: date, model: Model, as_of: date) -> int:
    """Points of a negative fact, which shrink with every full year since its determination."""
    before = (as_of.month, as_of.day) < (determined.month, determined.day)
    years = as_of.year - determined.year - before
    # A determination after `as_of` can only come from a row that never went through the import.
    percent = model.fade_percent[min(max(years, 0), NEGATIVE_YEARS - 1)]
    return -(-points * percent // 100)


def compile_model(file: ModelFile, catalogue: Catalogue) -> Model:
    """Check a model file and join it to its catalogue.

    Raises:
        BadData: an entry has no weight or a weight no entry, or the model would not be monotone.
    """
    weights = {(dep, code): w for dep, codes in file.weights.items() for code, w in codes.items()}
    if odd := sorted(weights.keys() ^ catalogue.entries.keys()):
        raise BadData(f"weights and catalogue differ in {odd}")
    _check_frame(file)
    terms = {
        key: Term(entry, weights[key], entry.negative, entry.counts is Counts.LATEST)
        for key, entry in catalogue.entries.items()
    }
    for term in terms.values():
        _check_term(term)
    return Model(file.since, file.illustrative, file.base, file.fade_percent, file.caps, terms)


def _check_frame(file: ModelFile) -> None:
    if not LOWEST <= file.base <= HIGHEST:
        raise BadData("the base is outside the scale")
    if set(file.caps) != set(Dimension):
        raise BadData("each dimension needs a cap")
    for dimension, cap in file.caps.items():
        if not cap.least <= 0 <= cap.most:
            raise BadData(f"the cap of {dimension} must include 0")
    fade = file.fade_percent
    if len(fade) != NEGATIVE_YEARS or not all(0 <= percent <= 100 for percent in fade):
        raise BadData("fade_percent needs a percentage for each of the five years")
    if list(fade) != sorted(fade, reverse=True):
        raise BadData("a negative fact may only fade")


def _check_term(term: Term) -> None:
    """Refuse a weight of the wrong sign, or one that a better value would lower."""
    entry, weight = term.entry, term.weight
    name = f"{entry.department}.{entry.code}"
    if set(weight.levels) != {level.code for level in entry.levels} or weight.per < 1:
        raise BadData(f"{name}: the weight does not fit the values of the catalogue")
    # Levels are listed from worst to best, and numbers move one way because `per` is positive.
    steps = [weight.levels[level.code] for level in entry.levels] or [weight.points]
    if steps != sorted(steps) or (entry.levels and weight.points):
        raise BadData(f"{name}: a better value must not count less")
    if any(points > 0 if entry.negative else points < 0 for points in steps):
        raise BadData(f"{name}: the sign is not that of a {entry.polarity} fact")
    if weight.advice is not None and (entry.negative or entry.levels):
        raise BadData(f"{name}: only a positive number can be advised")

"""The same comparison with many figures, made once: which of many bounds does a value miss?

Scenarios ask alike and differ in their numbers: `band >= floor`, `waived + deposit <= cap`, each
with a floor or cap of its own. Those whose bound a value misses are a run of them in order of their
bounds, and what each run adds up to is known beforehand. A set of scenarios is an integer.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from operator import or_
from typing import Any

from msgspec import UNSET

from scenarios import grammar as g
from scenarios.closures import Read, Scope, read
from scenarios.contract import Values
from scenarios.manifest import Value
from scenarios.units import BANDS

_MIRRORED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}

#: Compiles operands that name no parameter.
_NO_SCOPE = Scope({}, frozenset(), frozenset(), {}, frozenset(), frozenset())


class Rung:
    """One comparison of an amount or rank with a bound: a constant, or one for each band."""

    def __init__(self, op: str, value: g.Operand, bounds: tuple[int, ...]) -> None:
        self.op, self.value, self.bounds = op, value, bounds

    @property
    def ladder(self) -> tuple[str, g.Operand, int]:
        """Equal where rungs stand on one ladder."""
        return self.op, self.value, len(self.bounds)

    @staticmethod
    def of(test: g.Test, figure: Callable[[str], Value]) -> Rung | None:
        """The rung that a test is, given its parameters in force; None where it is none."""
        if not isinstance(test, g.Compare) or test.op not in _MIRRORED:
            return None
        for op, value, bound in (
            (test.op, test.left, test.right),
            (_MIRRORED[test.op], test.right, test.left),
        ):
            bounds = _bounds(bound, figure)
            if bounds is not None and not _names_a_figure(value):
                return Rung(op, value, bounds)
        return None


def _bounds(bound: g.Operand, figure: Callable[[str], Value]) -> tuple[int, ...] | None:
    match bound:
        case g.Constant(int(number)) if not isinstance(number, bool):
            return (number,)
        case g.Param(name):
            value = figure(name)
            every = value if isinstance(value, tuple) else (value,)
            numbers = tuple(n for n in every if isinstance(n, int) and not isinstance(n, bool))
            return numbers if len(numbers) == len(every) in (1, len(BANDS)) else None
    return None


def _names_a_figure(operand: g.Operand) -> bool:
    """Whether an operand is no plain reading of facts and standing."""
    return any(isinstance(node, g.Param | g.Now) for node in g.walk(operand))


class Ladder:
    """Many rungs of one value, as a single question."""

    def __init__(self, rungs: Iterable[tuple[Rung, int]]) -> None:
        rows = list(rungs)
        first = rows[0][0]
        self.mask = 0
        for _, bit in rows:
            self.mask |= bit
        self._read: Read = read(first.value, _NO_SCOPE)
        self._find = bisect_left if first.op in ("le", "gt") else bisect_right
        self._rows = [
            _missed(first.op, [(rung.bounds[place], bit) for rung, bit in rows])
            for place in range(len(first.bounds))
        ]

    def failing(self, values: Values, facts: Any) -> int:
        """The scenarios for which the comparison does not hold; all, where the value is absent."""
        value = self._read(values, facts)
        if value is None or value is UNSET:
            return self.mask
        bounds, missed = self._rows[values.band if len(self._rows) > 1 else 0]
        return missed[self._find(bounds, value)]


def _missed(op: str, bounds: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Bounds in order, and for each place among them the scenarios whose bound a value there
    misses: those before it where it must stay below, those after it where it must reach."""
    ordered = sorted(bounds)
    bits = [bit for _, bit in ordered]
    if op in ("lt", "le"):
        missed = list(accumulate(bits, or_, initial=0))
    else:
        missed = list(accumulate(reversed(bits), or_, initial=0))[::-1]
    return [bound for bound, _ in ordered], missed

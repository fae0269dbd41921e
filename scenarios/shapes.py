"""The static types of clauses: every operand has a unit, and units do not mix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from scenarios import grammar as g
from scenarios.manifest import FactSpec, Manifest, Parameter
from scenarios.units import PARTY, STANDING, Shape, Unit

T = TypeVar("T")


class Mismatch(Exception):
    """A clause names something undeclared, or compares what cannot be compared."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message, self.remedy = message, remedy
        super().__init__(message)


class Names(msgspec.Struct, frozen=True):
    """Everything that the clauses of one manifest may name."""

    facts: Mapping[str, FactSpec]
    params: Mapping[str, Parameter]

    @classmethod
    def of(cls, manifest: Manifest) -> Names:
        """The names that a manifest declares."""
        return cls(
            facts={fact.name: fact for fact in manifest.facts},
            params={param.name: param for param in manifest.parameters},
        )


def is_list(param: Parameter) -> bool:
    """Whether a parameter's value is a list to look something up in."""
    return param.by is None and isinstance(param.dated[0].value, tuple)


def reads_of(test: g.Test, names: Names) -> set[str]:
    """The declared reads that a clause makes: fields of `Values`."""
    reads = set()
    for node in g.walk(test):
        if isinstance(node, g.Standing):
            reads.add(node.name)
        elif isinstance(node, g.Party):
            reads.add(f"party_{node.name}")
        elif isinstance(node, g.Param) and node.name in names.params:
            reads |= {"band"} if names.params[node.name].by else set()
    return reads


def check_test(test: g.Test, names: Names) -> None:
    """Checks every name and unit of a test. Raises `Mismatch` at the first that is wrong."""
    match test:
        case g.All(tests) | g.Any(tests):
            for part in tests:
                check_test(part, names)
        case g.Not(inner):
            check_test(inner, names)
        case g.Present(what):
            _check_presence(what, names)
        case g.Member(item, group):
            _check_member(item, group, names)
        case g.Between():
            _check_between(test, names)
        case g.Within():
            _check_within(test, names)
        case g.Compare():
            _check_compare(test, names)


def shape_of(operand: g.Operand, names: Names) -> Shape | None:
    """The type of an operand; None for a literal number, which fits any number.

    Raises `Mismatch` for an undeclared name and for a sum of different units.
    """
    match operand:
        case g.Fact(name):
            fact = _declared(name, names.facts, "fact", "Add it under [[facts]]")
            return Shape(fact.unit, absent=fact.optional)
        case g.Standing(name):
            return _declared(name, STANDING, "standing", "Name a readable value")
        case g.Party(name):
            return _declared(name, PARTY, "party", "Name a property of the party")
        case g.Param(name):
            param = _declared(name, names.params, "param", "Add it under [[parameters]]")
            return Shape(param.unit, many=is_list(param))
        case g.Now():
            return Shape(Unit.TIME)
        case g.Constant(value):
            return _literal(value)
        case g.Sum(terms):
            return _arithmetic(terms, names)
        case g.Difference(left, right):
            return _arithmetic((left, right), names)


def spelled(operand: g.Operand) -> str:
    """An operand as the manifest writes it, for messages."""
    match operand:
        case g.Now():
            return "now"
        case g.Constant(value):
            return str(value).lower() if isinstance(value, bool) else str(value)
        case g.Fact(name) | g.Standing(name) | g.Party(name) | g.Param(name):
            return f"{type(operand).__name__.lower()}.{name}"
    return type(operand).__name__.lower()


def _declared(name: str, known: Mapping[str, T], kind: str, remedy: str) -> T:
    if name in known:
        return known[name]
    choices = ", ".join(sorted(known)) or "nothing yet"
    raise Mismatch(f"`{kind}.{name}` is not declared.", f"{remedy} (there is: {choices}).")


def _literal(value: int | bool | str) -> Shape | None:
    if isinstance(value, bool):
        return Shape(Unit.FLAG)
    return Shape(Unit.TEXT) if isinstance(value, str) else None


def _arithmetic(terms: tuple[g.Operand, ...], names: Names) -> Shape | None:
    units = set()
    for term in terms:
        shape = shape_of(term, names)
        if shape is None:
            continue
        if shape.many or shape.absent or not shape.unit.is_amount:
            raise Mismatch(
                f"`{spelled(term)}` ({shape.unit}) cannot be added or subtracted.",
                "Add and subtract amounts only, which are always there.",
            )
        units.add(shape.unit)
    if len(units) > 1:
        raise Mismatch(
            f"A sum of {' and '.join(sorted(units))} means nothing.", "Add amounts of one unit."
        )
    return Shape(units.pop()) if units else None


def _check_compare(test: g.Compare, names: Names) -> None:
    left, right = shape_of(test.left, names), shape_of(test.right, names)
    if isinstance(test.left, g.Now) or isinstance(test.right, g.Now):
        _check_now(test, names)
        return
    if left is None and right is None:
        raise Mismatch("Two literals are compared.", "Name a fact, a standing or a parameter.")
    known = [shape for shape in (left, right) if shape is not None]
    if any(shape.many for shape in known):
        raise Mismatch("A list cannot be compared.", "Ask with `in` whether something is in it.")
    _same(test.left, left, test.right, right)
    if test.op not in ("eq", "ne") and not all(_is_ordered(shape.unit) for shape in known):
        raise Mismatch(
            f"`{known[0].unit}` has no order.", "Compare with eq or ne, or ask with `in`."
        )


def _is_ordered(unit: Unit) -> bool:
    return unit.is_number or unit is Unit.TIME


def _same(one: g.Operand, left: Shape | None, other: g.Operand, right: Shape | None) -> None:
    """Refuses two operands of different units; a literal takes the other's unit."""
    shapes = [shape for shape in (left, right) if shape is not None]
    if len(shapes) == 1 and shapes[0].unit.is_number:
        return
    if len(shapes) == 2 and (shapes[0].unit is shapes[1].unit or _text_literal(one, other, shapes)):
        return
    units = [str(shape.unit) if shape else "number" for shape in (left, right)]
    raise Mismatch(
        f"`{spelled(one)}` ({units[0]}) is compared with `{spelled(other)}` ({units[1]}).",
        "Compare values of one unit, or declare the unit that is meant.",
    )


def _text_literal(one: g.Operand, other: g.Operand, shapes: list[Shape]) -> bool:
    has_literal = isinstance(one, g.Constant) or isinstance(other, g.Constant)
    return has_literal and all(shape.unit.is_text for shape in shapes)


def _check_now(test: g.Compare, names: Names) -> None:
    other = test.right if isinstance(test.left, g.Now) else test.left
    shape = shape_of(other, names)
    if not isinstance(other, g.Fact) or shape is None or shape.unit is not Unit.TIME:
        raise Mismatch(
            f"now is compared with `{spelled(other)}`.", "Compare it with a fact of unit time."
        )
    if test.op in ("eq", "ne"):
        raise Mismatch("No instant equals another in practice.", "Use lt, le, gt or ge.")


def _check_presence(what: g.Operand, names: Names) -> None:
    shape = shape_of(what, names)
    if shape is None or not shape.absent:
        raise Mismatch(
            f"`{spelled(what)}` is always there.",
            "Ask `present` of an optional fact, of a standing that may be absent (stock,"
            " visit_limit_fen) or of a party's property.",
        )


def _check_member(item: g.Operand, group: g.Operand, names: Names) -> None:
    one, many = shape_of(item, names), shape_of(group, names)
    if many is None or not many.many:
        raise Mismatch(f"`{spelled(group)}` is no list.", "Name a list of the standing or a param.")
    if one is not None and one.many:
        raise Mismatch(f"`{spelled(item)}` is a list.", "Ask whether a single value is in a list.")
    _same(item, one, group, many)


def _check_between(test: g.Between, names: Names) -> None:
    for part in (test.start, test.end):
        if isinstance(part, g.Param) and part.name in names.params and names.params[part.name].by:
            raise Mismatch(f"`{spelled(part)}` differs by band.", "Use one time of day for all.")
        shape = shape_of(part, names)
        literal = isinstance(part, g.Constant)
        if not literal and shape != Shape(Unit.CLOCK):
            raise Mismatch(f"`{spelled(part)}` is no time of day.", "Declare it with unit clock.")
    literals = [part.value for part in (test.start, test.end) if isinstance(part, g.Constant)]
    if len(literals) == 2 and str(literals[0]) >= str(literals[1]):
        raise Mismatch(
            "The time of day ends before it begins.",
            "Past midnight, write { not = { between = […] } } of the hours between.",
        )


def _check_within(test: g.Within, names: Names) -> None:
    time = shape_of(test.time, names)
    if not isinstance(test.time, g.Fact) or time is None or time.unit is not Unit.TIME:
        raise Mismatch(f"`{spelled(test.time)}` is no time.", "Name a fact of unit time.")
    for days in (test.at_least_days, test.at_most_days):
        if days is None:
            continue
        shape = shape_of(days, names)
        fixed = isinstance(days, g.Param | g.Constant) and not isinstance(
            getattr(days, "value", 0), bool | str
        )
        if not fixed or (shape is not None and (shape.unit is not Unit.DAYS or shape.many)):
            raise Mismatch(
                f"`{spelled(days)}` is no number of days.", "Write a parameter of unit days."
            )

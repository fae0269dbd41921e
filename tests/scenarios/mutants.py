"""Small changes to a rule, each of which its cases must notice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from scenarios import grammar as g
from scenarios.manifest import Dated, Manifest, Parameter

_ALWAYS = g.Compare("eq", g.Constant(True), g.Constant(True))
_SHIFTED: dict[str, g.Operator] = {
    "eq": "ne",
    "ge": "gt",
    "gt": "ge",
    "le": "lt",
    "lt": "le",
    "ne": "eq",
}


def mutants(manifest: Manifest) -> Iterator[tuple[str, Manifest]]:
    """Every mutant of a manifest, with what was changed."""
    for index, clause in enumerate(manifest.clauses):
        variants = [("dropped", _ALWAYS), *_variants(clause.when)]
        for what, when in variants:
            changed = msgspec.structs.replace(clause, when=when)
            clauses = (*manifest.clauses[:index], changed, *manifest.clauses[index + 1 :])
            named = f"clause {clause.id}: {what}"
            yield named, msgspec.structs.replace(manifest, clauses=clauses)
    for index, param in enumerate(manifest.parameters):
        for what, dated in _numbers(param):
            changed_param = msgspec.structs.replace(param, dated=(dated,))
            params = (
                *manifest.parameters[:index],
                changed_param,
                *manifest.parameters[index + 1 :],
            )
            named = f"parameter {param.name}: {what}"
            yield named, msgspec.structs.replace(manifest, parameters=params)


def _variants(node: Any) -> Iterator[tuple[str, Any]]:
    """The node with one operator, literal or connective changed, anywhere in it."""
    if isinstance(node, g.Compare):
        yield f"{node.op} shifted", msgspec.structs.replace(node, op=_SHIFTED[node.op])
    elif isinstance(node, g.All):
        yield "any for all", g.Any(node.tests)
    elif isinstance(node, g.Any):
        yield "all for any", g.All(node.tests)
    elif isinstance(node, g.Not):
        yield "not removed", node.test
    elif isinstance(node, g.Constant):
        yield "literal changed", g.Constant(not node.value if node.value is True else 7)
    for name in node.__struct_fields__:
        yield from _inside(node, name)


def _inside(node: Any, name: str) -> Iterator[tuple[str, Any]]:
    part = getattr(node, name)
    if isinstance(part, g.Node):
        for what, changed in _variants(part):
            yield what, msgspec.structs.replace(node, **{name: changed})
    elif isinstance(part, tuple):
        for index, entry in enumerate(part):
            for what, changed in _variants(entry):
                entries = (*part[:index], changed, *part[index + 1 :])
                yield what, msgspec.structs.replace(node, **{name: entries})


def _numbers(param: Parameter) -> Iterator[tuple[str, Dated]]:
    """The parameter one up, one down, a day earlier or later; a list without each entry."""
    (dated,) = param.dated
    for days in (-1, 1):
        start = dated.start + timedelta(days=days)
        yield f"{days:+} day", msgspec.structs.replace(dated, start=start)
    value = dated.value
    if not isinstance(value, tuple):
        assert isinstance(value, int)
        for step in (-1, 1):
            yield f"{step:+}", msgspec.structs.replace(dated, value=value + step)
        return
    for index, entry in enumerate(value):
        for what, changed in _entries(entry, by_band=param.by is not None):
            values = (*value[:index], *changed, *value[index + 1 :])
            yield f"entry {index} {what}", msgspec.structs.replace(dated, value=values)


def _entries(entry: object, by_band: bool) -> Iterator[tuple[str, tuple[Any, ...]]]:
    if not by_band:
        yield "removed", ()
    elif isinstance(entry, int) and entry > 0:
        yield "one less", (entry - 1,)
        yield "one more", (entry + 1,)

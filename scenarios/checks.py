"""What is checked of a manifest before anybody may be asked by it.

Each check yields findings: the place, what is wrong, and the remedy. A manifest with a finding
is not loaded.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import pairwise

import msgspec

from scenarios import grammar as g
from scenarios.contract import READABLE
from scenarios.facts import facts_type, is_pattern
from scenarios.manifest import Clause, Dated, FactSpec, Manifest, Parameter, Scalar
from scenarios.problem import Finding, Path
from scenarios.shapes import Mismatch, Names, check_test, is_list, reads_of
from scenarios.units import BANDS, Unit
from scenarios.universal import UNIVERSAL

#: No parameter is older than the first public credit information system of the city.
_EARLIEST = date(2000, 1, 1)

#: An instant with a valid Asia/Shanghai date, to try the example at; any would do.
_SOME_INSTANT = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


def findings(manifest: Manifest) -> list[Finding]:
    """All that is wrong with a manifest; empty where it may be compiled.

    Facts and parameters are checked before the clauses and the example that build on them.
    """
    return list(_run(manifest, _DECLARATIONS)) or list(_run(manifest, _USES))


def _run(manifest: Manifest, checks: Iterable[Check]) -> Iterator[Finding]:
    for check in checks:
        yield from check(manifest)


def _unique(manifest: Manifest) -> Iterator[Finding]:
    universal = [info.id for info in UNIVERSAL]
    named: dict[str, list[str]] = {
        "facts": [fact.name for fact in manifest.facts],
        "parameters": [param.name for param in manifest.parameters],
        "clauses": [clause.id for clause in manifest.clauses],
        "obligations": [obligation.id for obligation in manifest.obligations],
    }
    for kind, names in named.items():
        taken = set(universal) if kind == "clauses" else set()
        for index, name in enumerate(names):
            if name in taken:
                yield Finding(
                    (kind, index), f"The name `{name}` is taken already.", "Choose another name."
                )
            taken.add(name)


def _facts(manifest: Manifest) -> Iterator[Finding]:
    for index, fact in enumerate(manifest.facts):
        path = ("facts", index)
        if keyword.iskeyword(fact.name):
            yield Finding(path, f"`{fact.name}` is a word of Python.", "Choose another name.")
        if fact.unit is Unit.CLOCK:
            yield Finding(path, "A fact cannot be a time of day.", "Send an instant (unit time).")
        yield from _bounds(fact, path)


def _bounds(fact: FactSpec, path: Path) -> Iterator[Finding]:
    has_range = fact.min is not None and fact.max is not None
    if fact.unit.is_number and not has_range:
        yield Finding(path, "A number needs bounds.", "Give `min` and `max`.")
    if has_range and (fact.min or 0) > (fact.max or 0):
        yield Finding(path, "`min` is above `max`.", "Exchange them.")
    if fact.unit.is_text and fact.max_length is None:
        yield Finding(path, "A text needs a longest length.", "Give `max_length`.")
    if fact.pattern is not None and not is_pattern(fact.pattern):
        yield Finding((*path, "pattern"), "This is no regular expression.", "Mend or remove it.")
    numeric = fact.min is not None or fact.max is not None
    textual = fact.max_length is not None or fact.pattern is not None
    if (numeric and not fact.unit.is_number) or (textual and not fact.unit.is_text):
        yield Finding(path, f"These bounds do not fit unit {fact.unit}.", "Remove them.")


def _parameters(manifest: Manifest) -> Iterator[Finding]:
    for index, param in enumerate(manifest.parameters):
        path = ("parameters", index)
        if param.unit is Unit.TIME:
            yield Finding(path, "A parameter cannot be an instant.", "Use dated values.")
        if any(later.start <= earlier.start for earlier, later in pairwise(param.dated)):
            yield Finding(
                (*path, "dated"),
                "The dates do not ascend.",
                "Sort the values by `from`, once each.",
            )
        if param.dated[0].start < _EARLIEST:
            yield Finding((*path, "dated"), "This date is too early.", f"Begin at {_EARLIEST}.")
        for number, dated in enumerate(param.dated):
            yield from _value(param, dated, (*path, "dated", number))


def _value(param: Parameter, dated: Dated, path: Path) -> Iterator[Finding]:
    entries = dated.value if isinstance(dated.value, tuple) else (dated.value,)
    if not all(_fits(param.unit, entry) for entry in entries):
        yield Finding(path, f"A value does not fit unit {param.unit}.", "Mend value or unit.")
    if param.by is not None and (
        not isinstance(dated.value, tuple) or len(dated.value) != len(BANDS)
    ):
        yield Finding(
            path, "A value per band wants six entries.", "Give one for no score, then bands 1 to 5."
        )
    if param.by is None and isinstance(dated.value, tuple) != is_list(param):
        yield Finding(path, "Some values are lists and some are not.", "Write all the same way.")


def _fits(unit: Unit, value: Scalar) -> bool:
    if unit is Unit.FLAG:
        return isinstance(value, bool)
    if unit.is_number:
        is_rank = unit is not Unit.BAND or value in BANDS
        return isinstance(value, int) and not isinstance(value, bool) and is_rank
    if unit is Unit.CLOCK:
        return isinstance(value, str) and g.is_clock(value)
    return isinstance(value, str)


def _reads(manifest: Manifest) -> Iterator[Finding]:
    names = Names.of(manifest)
    used = set().union(*(reads_of(clause.when, names) for clause in manifest.clauses))
    for index, read in enumerate(manifest.reads):
        path = ("reads", index)
        if read not in READABLE:
            choices = ", ".join(sorted(READABLE))
            yield Finding(path, f"`{read}` cannot be read.", f"Name one of: {choices}.")
        elif read not in used or read in manifest.reads[:index]:
            yield Finding(path, f"`{read}` is declared and not needed.", "Remove it from `reads`.")


def _clauses(manifest: Manifest) -> Iterator[Finding]:
    names = Names.of(manifest)
    for index, clause in enumerate(manifest.clauses):
        path = ("clauses", index, "when")
        try:
            check_test(clause.when, names)
        except Mismatch as mismatch:
            yield Finding(path, mismatch.message, mismatch.remedy)
            continue
        yield from _minimised(clause, manifest, names, path)
        yield from _guarded(clause, names, path)


def _minimised(clause: Clause, manifest: Manifest, names: Names, path: Path) -> Iterator[Finding]:
    """A clause reads what is declared; one that cannot assess reads nothing of the citizen."""
    reads = reads_of(clause.when, names)
    for read in sorted(reads - set(manifest.reads)):
        yield Finding(path, f"`{read}` is read and not declared.", f'Add "{read}" to `reads`.')
    of_citizen = sorted(read for read in reads if not read.startswith("party_"))
    if clause.fails == "cannot_assess" and of_citizen:
        yield Finding(
            path,
            f"`cannot_assess` would depend on the citizen ({', '.join(of_citizen)}).",
            'Write fails = "standard_path", or read facts, parameters and the party only.',
        )


def _guarded(clause: Clause, names: Names, path: Path) -> Iterator[Finding]:
    """What may be absent is asked for by `present` in the same clause, so its absence is meant."""
    nodes = list(g.walk(clause.when))
    asked = {node.what for node in nodes if isinstance(node, g.Present)}
    for node in nodes:
        optional = isinstance(node, g.Fact) and names.facts[node.name].optional
        if (optional or node == g.Standing("stock")) and node not in asked:
            yield Finding(
                path,
                f"`{getattr(node, 'name', '')}` may be absent, and the clause does not say what "
                "then.",
                "Write { any = [{ not = { present = … } }, …] }, or ask that it is present.",
            )


def _needed(manifest: Manifest) -> Iterator[Finding]:
    """Facts and parameters that nothing needs are not asked for (PIPL 6)."""
    nodes = [node for clause in manifest.clauses for node in g.walk(clause.when)]
    facts = {node.name for node in nodes if isinstance(node, g.Fact)}
    params = {node.name for node in nodes if isinstance(node, g.Param)}
    for index, fact in enumerate(manifest.facts):
        if fact.name not in facts and fact.used_for is None:
            yield Finding(
                ("facts", index),
                f"No clause asks for `{fact.name}`.",
                'Remove the fact, or say what else needs it: used_for = "order".',
            )
    for index, param in enumerate(manifest.parameters):
        if param.name not in params:
            yield Finding(
                ("parameters", index), f"No clause asks for `{param.name}`.", "Remove it."
            )


def _commitment(manifest: Manifest) -> Iterator[Finding]:
    asked = "commitment" in manifest.reads
    if asked != (manifest.commitment is not None):
        yield Finding(
            ("reads",) if asked else ("commitment",),
            "A commitment is asked for and has no text, or the reverse.",
            "Give [commitment] with its text, and a clause that reads standing.commitment.",
        )


def _example(manifest: Manifest) -> Iterator[Finding]:
    path = ("example",)
    for name, value in manifest.example.items():
        if isinstance(value, dict) and not _is_offset(value):
            remedy = "A time in an example is written { in_days = 7 }."
            yield Finding((*path, name), "This is no value of a fact.", remedy)
            return
    required = {fact.name for fact in manifest.facts if not fact.optional}
    missing = sorted(required - set(manifest.example))
    if missing:
        yield Finding(path, f"The example lacks {', '.join(missing)}.", "Add the fact.")
    try:
        body = msgspec.json.encode(manifest.example_at(_SOME_INSTANT))
        msgspec.json.decode(body, type=facts_type(manifest))
    except (msgspec.MsgspecError, TypeError) as error:
        yield Finding(path, f"The example is not valid: {error}.", "Mend the example.")


def _is_offset(value: dict[str, object]) -> bool:
    days = value.get("in_days")
    return set(value) == {"in_days"} and type(days) is int and 0 < days <= 3660


Check = Callable[[Manifest], Iterator[Finding]]

_DECLARATIONS: tuple[Check, ...] = (_unique, _facts, _parameters)
_USES: tuple[Check, ...] = (_clauses, _reads, _needed, _commitment, _example)

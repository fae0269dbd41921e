"""The scenarios that this gateway serves, read from the package's own folders.

The only place of this package that reads a file. A scenario is a folder with `scenario.toml` and
`cases.toml`, named by its id.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import msgspec

from scenarios.calendar import Calendar
from scenarios.cases import CASES, Cases, parse_cases
from scenarios.checks import findings
from scenarios.compiler import Compiled, compile_scenario
from scenarios.grammar import GrammarError, Test, parse_test
from scenarios.manifest import Manifest, Text
from scenarios.problem import Finding, ManifestError, Problem, misshapen, not_toml, place

MANIFEST = "scenario.toml"


class Registry(Mapping[str, Compiled]):
    """Compiled scenarios by id, in the order of their ids; it never changes."""

    def __init__(self, scenarios: Mapping[str, Compiled]) -> None:
        self._scenarios = dict(sorted(scenarios.items()))

    def __getitem__(self, scenario: str) -> Compiled:
        return self._scenarios[scenario]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scenarios)

    def __len__(self) -> int:
        return len(self._scenarios)

    def title(self, scenario: str) -> Text:
        """What a scenario is called; by its id where it is not, or no longer, one of these."""
        compiled = self._scenarios.get(scenario)
        return compiled.manifest.title if compiled else Text(zh=scenario, en=scenario)


def load_registry(calendar: Calendar, root: Traversable | None = None) -> Registry:
    """Every scenario below `root` (the packaged ones by default), compiled with the calendar.

    Raises `ManifestError` where a manifest is faulty or two scenarios have one id: a gateway with
    half of its scenarios does not start.
    """
    compiled: dict[str, Compiled] = {}
    for folder in scenario_folders(root):
        manifest = load_manifest(folder / MANIFEST)
        # The folders of one place have different names, so no two scenarios have one id.
        if manifest.id != folder.name:
            raise ManifestError([_misplaced(folder, manifest.id)])
        compiled[manifest.id] = compile_scenario(manifest, calendar)
    return Registry(compiled)


def scenario_folders(root: Traversable | None = None) -> list[Traversable]:
    """The folders that hold a scenario, by name."""
    below = root if root is not None else files("scenarios")
    found = (entry for entry in below.iterdir() if entry.is_dir())
    return sorted(
        (folder for folder in found if (folder / MANIFEST).is_file()),
        key=lambda folder: folder.name,
    )


def load_manifest(source: Traversable) -> Manifest:
    """The manifest in a `scenario.toml`.

    Raises `ManifestError`, which names file, line, field and remedy of everything found.
    """
    try:
        text = source.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        fault = Problem(str(source), 1, "(file)", "This is not UTF-8.", "Save it as UTF-8.")
        raise ManifestError([fault]) from error
    return parse_manifest(text, str(source))


def check(source: Traversable) -> list[Problem]:
    """All that is wrong with a `scenario.toml`; empty where it can be loaded."""
    try:
        load_manifest(source)
    except ManifestError as error:
        return list(error.problems)
    return []


def load_cases(folder: Traversable) -> Cases:
    """The cases of the scenario in `folder`.

    Raises `tomllib.TOMLDecodeError` and `msgspec.ValidationError`.
    """
    return parse_cases((folder / CASES).read_text(encoding="utf-8"))


def parse_manifest(text: str, file: str) -> Manifest:
    """The manifest that a TOML text spells; `file` is how its problems name it.

    Raises `ManifestError`.
    """
    try:
        manifest = msgspec.convert(_clauses_parsed(_document(text)), Manifest)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError([not_toml(error, file, text)]) from error
    except msgspec.ValidationError as error:
        fault = misshapen(error, "Compare with the key's meaning in scenarios/manifest.py.")
        raise ManifestError([place(fault, file, text)]) from error
    except _Ungrammatical as error:
        raise ManifestError(place(found, file, text) for found in error.findings) from error
    found = findings(manifest)
    if found:
        raise ManifestError(place(finding, file, text) for finding in found)
    return manifest


class _Ungrammatical(Exception):
    """Clauses outside the grammar."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        super().__init__()


def _document(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def _clauses_parsed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with each clause's `when` as a node of the grammar."""
    clauses = document.get("clauses")
    if not isinstance(clauses, list):
        return document
    outside: list[Finding] = []
    for index, clause in enumerate(clauses):
        if isinstance(clause, dict) and "when" in clause:
            try:
                clause["when"] = _when(clause["when"], index)
            except GrammarError as error:
                outside.append(error.finding)
    if outside:
        raise _Ungrammatical(outside)
    return document


def _when(raw: object, index: int) -> Test:
    return parse_test(raw, ("clauses", index, "when"))


def _misplaced(folder: Traversable, scenario: str) -> Problem:
    return Problem(
        file=str(folder / MANIFEST),
        line=1,
        field="id",
        message=f"The scenario is `{scenario}`, and its folder is called `{folder.name}`.",
        remedy="Give both one name, which no other scenario has.",
    )

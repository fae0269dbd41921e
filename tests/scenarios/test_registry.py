"""A gateway starts with all of its scenarios, each under its own id, or does not start."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import scenarios
from scenarios.problem import ManifestError
from scenarios.registry import check, load_registry
from tests.scenarios.worlds import CALENDAR, NAMES, PACKAGED, SAMPLE, packaged

FOLDER = Path(scenarios.__file__).parent


def _folder(root: Path, name: str, text: str) -> None:
    (root / name).mkdir()
    (root / name / "scenario.toml").write_text(text, encoding="utf-8")


def test_the_packaged_scenarios_are_found_by_their_ids() -> None:
    assert tuple(packaged()) == NAMES
    assert all(packaged()[name].id == name for name in NAMES)


def test_a_folder_is_named_by_the_scenario_it_holds(tmp_path: Path) -> None:
    _folder(tmp_path, "other", SAMPLE)
    with pytest.raises(ManifestError, match="folder is called `other`"):
        load_registry(CALENDAR, tmp_path)


def test_two_scenarios_cannot_have_one_id(tmp_path: Path) -> None:
    _folder(tmp_path, "sample", SAMPLE)
    _folder(tmp_path, "sample2", SAMPLE)
    with pytest.raises(ManifestError, match=r"sample2.*Give"):
        load_registry(CALENDAR, tmp_path)


def test_a_folder_without_a_manifest_is_no_scenario(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    _folder(tmp_path, "sample", SAMPLE)
    assert list(load_registry(CALENDAR, tmp_path)) == ["sample"]


def test_one_faulty_manifest_stops_all(tmp_path: Path) -> None:
    _folder(tmp_path, "sample", SAMPLE)
    _folder(tmp_path, "faulty", SAMPLE.replace("unit", "unti", 1))
    with pytest.raises(ManifestError):
        load_registry(CALENDAR, tmp_path)


def test_check_lists_what_is_wrong_and_nothing_where_all_is_well(tmp_path: Path) -> None:
    _folder(tmp_path, "faulty", SAMPLE.replace("unit", "unti", 1))
    (problem,) = check(tmp_path / "faulty" / "scenario.toml")
    assert problem.file.endswith("faulty/scenario.toml")
    assert check(PACKAGED / "rent" / "scenario.toml") == []


def test_bytes_that_are_no_text_are_a_problem_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_bytes(b'id = "\xff"')
    (problem,) = check(tmp_path / "scenario.toml")
    assert "UTF-8" in problem.message


def test_every_scenario_has_cases_beside_it() -> None:
    assert all((PACKAGED / name / "cases.toml").is_file() for name in NAMES)


def test_the_map_names_every_file() -> None:
    assert scenarios.__doc__ is not None
    present = {path.name for path in FOLDER.glob("*.py")} - {"__init__.py"}
    assert {name for name in present if f"`{name}`" not in scenarios.__doc__} == set()


def test_only_the_registry_reads_files() -> None:
    """Pure by its imports, which the import contracts check, and by its calls."""
    banned = {"open", "exec", "eval", "compile", "__import__", "read_text", "read_bytes", "now"}
    for path in FOLDER.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = {_name(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        allowed = {"read_text"} if path.name == "registry.py" else set()
        allowed |= {"compile"} if path.name in ("facts.py", *_REGULAR) else set()
        assert called & banned <= allowed, path.name


#: Files that compile regular expressions.
_REGULAR = ("grammar.py", "problem.py")


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""

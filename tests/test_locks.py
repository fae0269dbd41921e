"""The locks: every file by its hash, no address, nothing below a floor, no tools in service."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

LOCKS = Path(__file__).parent.parent / "locks"
FLOORS = tomllib.loads((LOCKS / "floors.toml").read_text())
NAMES = ["runtime.txt", "dev.txt"]
BENCH_ONLY = {"fastapi", "sqlalchemy"}
DEVELOPMENT_ONLY = {"hypothesis", "locust", "mypy", "pytest", "ruff", "schemathesis", "uv"}


def locked(name: str) -> dict[str, list[Version]]:
    """The versions of each package; a universal lock may hold one per platform."""
    versions: dict[str, list[Version]] = {}
    for line in (LOCKS / name).read_text().splitlines():
        if not line.startswith((" ", "#")):
            requirement = Requirement(line.removesuffix("\\").strip())
            (pin,) = requirement.specifier
            assert pin.operator == "=="
            versions.setdefault(requirement.name, []).append(Version(pin.version))
    return versions


@pytest.mark.parametrize("name", [*NAMES, "bench.txt", "uv.txt"])
def test_every_requirement_carries_hashes_and_no_address(name: str) -> None:
    text = (LOCKS / name).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    assert "index" not in text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("package", FLOORS)
def test_nothing_is_locked_below_its_floor(name: str, package: str) -> None:
    floor = FLOORS[package]
    assert floor["ids"]
    assert floor["why"]
    versions = locked(name).get(package, [])
    assert versions or floor.get("optional"), f"{package} has a floor but is not in {name}"
    assert all(version >= Version(floor["floor"]) for version in versions), versions


def test_the_tools_of_development_are_not_installed_with_the_service() -> None:
    assert not DEVELOPMENT_ONLY & locked("runtime.txt").keys()


def test_both_locks_agree() -> None:
    development = locked("dev.txt")
    assert all(development[name] == pins for name, pins in locked("runtime.txt").items())


def test_the_measured_peers_need_what_nobody_else_does_and_change_no_version_of_ours() -> None:
    bench, development = locked("bench.txt"), locked("dev.txt")
    assert bench.keys() >= BENCH_ONLY
    assert not BENCH_ONLY & development.keys()
    assert all(development[name] == bench[name] for name in bench.keys() & development.keys())


def test_what_the_tests_run_by_node_is_pinned_by_hashes_and_without_addresses() -> None:
    folder = Path(__file__).parent / "interop"
    lock = json.loads((folder / "package-lock.json").read_text())
    asked = json.loads((folder / "package.json").read_text())["dependencies"]
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert not any("resolved" in each for each in packages.values())
    assert asked == {name: packages[f"node_modules/{name}"]["version"] for name in asked}

"""The wheel carries all that the packages read, and a city runs from it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from gateway.local.places import Places

ROOT = Path(__file__).parent.parent
PACKAGES = ("gateway", "scenarios", "scoring")
SEEDS = "gateway/local/seeds/"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None,
    reason="hatchling, which builds the wheel, is not installed",
)


def run(*words: str | Path, cwd: Path = ROOT, data: Path | None = None) -> str:
    """A command's output; it must end well."""
    given = {"QIANJIANG_DATA": str(data)} if data else {}
    done = subprocess.run(
        words, cwd=cwd, env={**os.environ, **given}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built with what is installed: no network."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    (built,) = folder.glob("*.whl")
    return built


def files(folder: str) -> set[str]:
    """The files below a folder of the checkout that are not the interpreter's own."""
    found = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return {str(path.relative_to(ROOT)) for path in found if "__pycache__" not in path.parts}


def test_the_wheel_carries_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    seeds = {name.replace("seeds/", SEEDS, 1) for name in files("seeds")}
    assert inside == set().union(seeds, *map(files, PACKAGES))


def test_the_wheel_carries_what_is_read_and_not_imported(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert inside >= {
        *(f"{package}/py.typed" for package in PACKAGES),
        *(f"{SEEDS}hangzhou/{name}.toml" for name in ("day", "parties", "personas")),
        *(f"gateway/store/migrations/{name}.sql" for name in ("0000_ledger", "roles")),
        *("gateway/store/decision.sql", "gateway/texts/notice.toml"),
        *("scenarios/rent/scenario.toml", "scenarios/rent/cases.toml"),
        *("scoring/models/2026-01-01.toml", "scoring/catalogues/2026-01-01.toml"),
    }


@pytest.mark.nightly
def test_a_city_runs_from_the_wheel_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    """The project comes from the wheel; its dependencies are those of this environment."""
    folder, data, python = tmp_path / "empty", tmp_path / "data", tmp_path / "venv/bin/python"
    folder.mkdir()
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    uv = Path(sys.executable).parent / "uv"
    run(
        uv,
        "pip",
        "install",
        "-q",
        "--offline",
        "--no-cache",
        "--no-deps",
        "--python",
        python,
        wheel,
    )
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run(python, "-c", where).strip())
    # A path named so brings the packages beside it, but not the checkout that it points to.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    at = run(python, "-c", "import gateway; print(gateway.__file__)", cwd=folder)
    assert Path(at.strip()).is_relative_to(site)
    try:
        script = python.with_name("qianjiang")
        said = run(script, "demo", "--citizens", "20", cwd=folder, data=data)
    finally:
        Places.of(data / "demo").remove()
    assert "steps as expected" in said
    assert list(folder.iterdir()) == []

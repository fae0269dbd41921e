"""Where a local city keeps things: data, sockets, logs, passwords.

A city is known by its data folder. An ordinary user's engines live inside it. PostgreSQL refuses to
run as root, so root's engines run as an existing unprivileged user and keep their files in a system
folder, since that user can rarely enter root's own. No folder that somebody else made is changed.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import GatewayError
from gateway.ids import SystemIds
from gateway.processes import Account

SYSTEM_FOLDER = Path("/var/lib/qianjiang")
ACCOUNTS = ("postgres", "nobody")  # existing users to run as, in order of preference
LOCK = "city.lock"
SOCKET_PATH_BYTES_MAX = 107  # sun_path of unix(7), less its closing NUL


class PlaceRefused(GatewayError):
    """A folder cannot be used for engines; the message says why and what to do."""


def engine_account() -> Account | None:
    """The user the engines run as: ourselves (None), or an unprivileged one when we are root."""
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise PlaceRefused(
        f"root needs an unprivileged user to run the engines: {' or '.join(ACCOUNTS)}"
    )


@dataclass(frozen=True)
class Places:
    """The folders of one local city. `data` is the user's; `home` belongs to the engines."""

    data: Path
    home: Path
    sockets: Path
    account: Account | None

    @classmethod
    def of(cls, data: Path, system: Path = SYSTEM_FOLDER) -> "Places":
        """Find and make the folders of the city at `data`; root's engines keep theirs in `system`.

        Raises PlaceRefused where a folder belongs to somebody else or a socket path is too long.
        """
        data = data.resolve()
        account = engine_account()
        key = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
        data.mkdir(parents=True, exist_ok=True)
        if account is None:
            home, sockets = data, Path(f"/tmp/qianjiang-{os.geteuid()}-{key}")  # noqa: S108  # checked
        else:
            home = _private_folder(open_folder(system) / key, account)
            sockets = home / "run"
        _private_folder(sockets, account)
        return cls(data, home, sockets, account)

    def folder(self, name: str) -> Path:
        """A private folder for an engine's files, made if missing."""
        return _private_folder(self.home / name, self.account)

    def socket(self, name: str) -> Path:
        """The path of a socket, short enough for the kernel."""
        path = self.sockets / name
        if len(os.fsencode(path)) > SOCKET_PATH_BYTES_MAX:
            raise PlaceRefused(f"socket path over {SOCKET_PATH_BYTES_MAX} bytes: {path}")
        return path

    def log(self, name: str) -> Path:
        """The path of a process's log; its folder is made."""
        folder = _private_folder(self.data / "logs", None)
        return folder / f"{name}.log"

    def password(self, name: str) -> str:
        """The password kept under this name (mode 0600), made at first use: 192 random bits."""
        path = _private_folder(self.data / "secrets", None) / name
        if not path.exists():
            write_private(path, SystemIds().token())
        return path.read_text()

    def lock(self) -> int:
        """Hold the data folder until this process ends; returns the open file's descriptor.

        Raises PlaceRefused when another process holds it.
        """
        return hold(self.data / LOCK, os.O_CREAT)

    def knows_password(self, name: str) -> bool:
        """Whether a password was made under this name before."""
        return (self.data / "secrets" / name).exists()

    def remove(self) -> None:
        """Delete everything of this city. Its engines must have been stopped."""
        for folder in (self.sockets, self.home, self.data):
            shutil.rmtree(folder, ignore_errors=True)


def hold(lock: Path, flags: int = 0) -> int:
    """Hold a lock file until this process ends; returns its descriptor.

    Raises PlaceRefused when another process holds it, FileNotFoundError when it is gone.
    """
    handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise PlaceRefused(
            f"{lock.parent} is in use by another process; stop it or set QIANJIANG_DATA"
        ) from None
    return handle


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Write a file whole or not at all, readable by its owner (ourselves or `account`) only."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        if account is not None:
            os.fchown(file.fileno(), account.uid, account.gid)
    partial.replace(path)


def open_folder(path: Path) -> Path:
    """Make a folder of ours that others may pass through; one of somebody else is refused."""
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
        path.chmod(0o755)  # ours, made a moment ago: whatever the umask, the engines' user passes
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PlaceRefused(f"{path} is not a folder of user {os.geteuid()}; remove it")
    return path


def _private_folder(path: Path, account: Account | None) -> Path:
    """Make a folder for its owner alone, or make sure that the one there is exactly that.

    In a shared folder such as /tmp anybody could have put the name there first: a link, or a folder
    of somebody else, is refused and never mended.
    """
    owner = os.geteuid() if account is None else account.uid
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
        if account is not None:
            os.chown(path, account.uid, account.gid)
    found = path.lstat()
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    if not private or found.st_uid != owner:
        raise PlaceRefused(f"{path} is not a private folder (0700) of user {owner}; remove it")
    return path

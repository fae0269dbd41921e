"""An embedded PostgreSQL 18: passwords from the first second, durable, on a private socket only."""

import shutil
import signal
import time
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlencode

from gateway.local.binaries import postgres_install
from gateway.local.child import POLL_SECONDS, ChildFailed
from gateway.local.engine import Engine, copied, runnable
from gateway.local.places import SYSTEM_FOLDER, write_private

SUPERUSER = "postgres"
STOP_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}

# Given on the command line at every start: what holds here is read here, not in a file that an
# older version wrote. Durability is the default and is spelt out, since the gateway refuses less.
SETTINGS = {
    "listen_addresses": "",  # no TCP port, so none to guess and none that stays open
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "password_encryption": "scram-sha-256",
    "scram_iterations": "1",  # passwords are 192 random bits: stretching them adds only waiting
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",  # short statements only: compiling costs more than it saves
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_parameter_max_length": "0",  # parameters are citizens' data: never in a log
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",  # the detail of a violated constraint is the whole row
}


class Postgres(Engine):
    """PostgreSQL over a data folder; made at the first start, kept between starts.

    Everything is synchronous with bounded waits. Raises ChildFailed, EngineMissing, PlaceRefused.
    """

    def __init__(self, data: Path, system: Path = SYSTEM_FOLDER) -> None:
        super().__init__("postgres", data, system)
        self.cluster = self.folder / "cluster"
        self._socket = self.places.socket(".s.PGSQL.5432")

    @property
    def superuser_url(self) -> str:
        """The address for the launcher and the tests, database `postgres`."""
        return self.url(SUPERUSER, "postgres")

    def url(self, role: str, database: str) -> str:
        """The address of a database for a role, with the password kept for that role."""
        query = urlencode({"host": str(self._socket.parent)})
        password = quote(self.password(role), safe="")
        return f"postgresql://{quote(role)}:{password}@/{quote(database)}?{query}"

    def password(self, role: str) -> str:
        """The role's password; made at first use and kept (0600) in the data folder."""
        return self.places.password(f"postgres-{role}")

    def start(self) -> None:
        """Start, making the cluster first if there is none; returns when it accepts connections."""
        if self.running:
            return
        programs = self._programs()
        if self.cluster.exists() and not self.places.knows_password(f"postgres-{SUPERUSER}"):
            # Root's clusters lie outside the data folder. Whoever deleted the folder deleted the
            # city, with the passwords and keys without which its cluster is of no use.
            shutil.rmtree(self.cluster)
        if not self.cluster.exists():
            self._initialise(programs / "initdb")
        self._clear_leftovers()
        settings = {**SETTINGS, "unix_socket_directories": str(self._socket.parent)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        # SIGINT asks for a fast, clean shutdown: what it gets when the supervisor is gone.
        self._run([str(programs / "postgres"), "-D", str(self.cluster), *options], signal.SIGINT)
        self.wait_until(self._accepts)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop: `fast` writes a checkpoint, `immediate` does not, like a loss of power."""
        self.end(STOP_SIGNALS[mode])

    def _programs(self) -> Path:
        folder, parts, programs = postgres_install()
        account = self.places.account
        if not runnable(folder / programs / "postgres", account):
            folder = copied(folder, parts, self.folder / "program", account)
        return folder / programs

    def _initialise(self, initdb: Path) -> None:
        # Made beside its final name and moved there, so that half a cluster is never taken for one.
        making, secret = self.folder / "making", self.folder / "making-password"
        shutil.rmtree(making, ignore_errors=True)
        write_private(secret, self.password(SUPERUSER), self.places.account)
        command = [str(initdb), "-D", str(making), "-U", SUPERUSER, "-A", "scram-sha-256"]
        options = [
            f"--pwfile={secret}",
            "--no-instructions",
            "--set=scram_iterations=1",
            "--encoding=UTF8",
            "--locale=C",
        ]
        self._run([*command, *options], signal.SIGKILL)
        try:
            self.finish()
        finally:
            secret.unlink()
        making.rename(self.cluster)

    def _run(self, command: list[str], signal_on_death: signal.Signals) -> None:
        self.launch(
            command,
            environment={"LC_ALL": "C"},
            folder=self.folder,
            account=self.places.account,
            signal_on_death=signal_on_death,
        )

    def _clear_leftovers(self) -> None:
        """Remove the lock files of a killed server, once no process of it lives.

        A killed postmaster's children notice within moments; until the last has gone the shared
        memory is theirs and a new server would be refused.
        """
        deadline = time.monotonic() + self.stop_seconds_max
        while alive := _living_in(self.cluster):
            if time.monotonic() > deadline:
                raise ChildFailed(f"{self.cluster} is in use by processes {alive}")
            time.sleep(POLL_SECONDS)
        lock = self._socket.with_name(f"{self._socket.name}.lock")
        for leftover in (self.cluster / "postmaster.pid", lock, self._socket):
            leftover.unlink(missing_ok=True)

    def _accepts(self) -> bool:
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        # Line 8 is the server's own word on its state (miscadmin.h, LOCK_FILE_LINE_PM_STATUS).
        return len(lines) >= 8 and lines[7].strip() == "ready"


def _living_in(cluster: Path) -> list[int]:
    """The processes whose working folder is the cluster: a postmaster and all its children."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink() == cluster:
                    found.append(int(entry.name))
            except OSError:
                continue  # ended meanwhile, or another user's and therefore not ours
    return found

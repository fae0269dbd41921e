"""An embedded Valkey 9: a cache on a private socket that may lose everything at any time."""

import hashlib
import signal
import socket
from pathlib import Path
from urllib.parse import quote

from gateway.local.binaries import valkey_server
from gateway.local.engine import Engine, copied, runnable
from gateway.local.places import SYSTEM_FOLDER, write_private

# All that the gateway does, and nothing else: it never deletes, scans, flushes or configures.
GATEWAY_COMMANDS = "+hello +ping +client|setinfo +get +mget +set +evalsha +script|load +time"
GATEWAY_KEYS = "~gw:*"

CONFIGURATION = """\
port 0
unixsocketperm 700
protected-mode yes
daemonize no
databases 1
save ""
appendonly no
maxmemory 256mb
maxmemory-policy allkeys-lru
maxclients 512
timeout 0
loglevel warning
"""
# allkeys-lru: every entry can be rebuilt from PostgreSQL, so the least used goes first. Losing a
# tombstone with it costs a failed check at the commit, never a wrong answer.


class Valkey(Engine):
    """Valkey over a data folder. It saves nothing by itself; `admin` may SAVE for a test.

    Two users: `gateway` may do what the gateway does, `admin` everything; there is no default user.
    """

    def __init__(self, data: Path, system: Path = SYSTEM_FOLDER) -> None:
        super().__init__("valkey", data, system)
        self._socket = self.places.socket("valkey.sock")

    @property
    def url(self) -> str:
        """The gateway's own address and password."""
        return self._url("gateway")

    @property
    def admin_url(self) -> str:
        """All commands: for the launcher and the tests, never given to the gateway."""
        return self._url("admin")

    def start(self) -> None:
        """Start, empty unless an administrator saved a dump; returns when it answers."""
        if self.running:
            return
        program = valkey_server()
        account = self.places.account
        if not runnable(program, account):
            folder = copied(program.parent, [program.name], self.folder / "program", account)
            program = folder / program.name
        self._socket.unlink(missing_ok=True)
        self.launch(
            [str(program), str(self._configure())],
            environment={"LC_ALL": "C"},
            folder=self.folder,
            account=account,
            signal_on_death=signal.SIGKILL,  # it holds nothing that a clean end would save
        )
        self.wait_until(self._accepts)

    def stop(self) -> None:
        """Stop at once; nothing is saved."""
        self.end(signal.SIGTERM)

    def forget_dump(self) -> None:
        """Remove what an administrator saved, so that the next start is an empty one."""
        (self.folder / "dump.rdb").unlink(missing_ok=True)

    def _url(self, user: str) -> str:
        password = quote(self._password(user), safe="")
        return f"unix://{user}:{password}@{quote(str(self._socket))}?db=0"

    def _password(self, user: str) -> str:
        return self.places.password(f"valkey-{user}")

    def _configure(self) -> Path:
        # Passwords reach the server as hashes in a private file, never on a command line.
        gateway, admin = (
            hashlib.sha256(self._password(user).encode()).hexdigest()
            for user in ("gateway", "admin")
        )
        lines = [
            CONFIGURATION,
            f'unixsocket "{self._socket}"',
            f'dir "{self.folder}"',
            "user default off",
            f"user gateway on #{gateway} {GATEWAY_KEYS} {GATEWAY_COMMANDS}",
            f"user admin on #{admin} ~* &* +@all",
        ]
        path = self.folder / "valkey.conf"
        write_private(path, "\n".join(lines) + "\n", self.places.account)
        return path

    def _accepts(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(1)
                probe.connect(str(self._socket))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith(b"-NOAUTH")
        except OSError:
            return False

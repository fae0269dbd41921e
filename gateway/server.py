"""The server: its command line, its flags, and what a worker runs. The same for production, the
local city and the measurements.

    python -m gateway.server HOST PORT WORKERS APPLICATION

starts that many processes (gateway/workers.py); each runs uvicorn with the protocol of
gateway/edge/connection.py around what the application's factory makes.
"""

from __future__ import annotations

import resource
import socket
import sys
from contextlib import suppress
from typing import Any, Final

from gateway import logs
from gateway.workers import Workers

#: Connections that may wait in the kernel for one worker.
BACKLOG: Final = 1024

#: Files that a worker may have open: its connections, those to the stores, and some.
FILES: Final = 4096

#: Seconds that answers under way get when a worker is asked to end; the parent waits longer.
FINISH_S: Final = 10

#: uvicorn's flags. `Date` stays (RFC 9110 6.6.1), `Server` goes. Lines are ours (gateway/logs.py),
#: and the proxy's fields are not believed: who calls is told by a token.
FLAGS: Final[dict[str, Any]] = {
    "factory": True,
    "interface": "asgi3",
    "http": "gateway.edge.connection:Connection",
    "ws": "none",
    "loop": "uvloop",
    "lifespan": "on",
    "workers": 1,
    "backlog": BACKLOG,
    "timeout_graceful_shutdown": FINISH_S,
    "server_header": False,
    "proxy_headers": False,
    "access_log": False,
    "log_config": None,
    "log_level": "warning",
}


def command(host: str, port: int, workers: int, app: str = "gateway.app:create_app") -> list[str]:
    """The command line of the server. `app` names a factory: "module:function"."""
    return [sys.executable, "-m", "gateway.server", host, str(port), str(workers), app]


def main(arguments: list[str]) -> int:
    """Start workers and stay, or serve as one of them (0 workers); the exit code."""
    logs.configure()
    host, port, workers, app = arguments[0], int(arguments[1]), int(arguments[2]), arguments[3]
    if workers == 0:
        work(host, port, app)
        return 0
    try:
        reservation = reserved(host, port)
    except OSError as fault:
        sys.exit(f"cannot listen on {host} port {port}: {fault.strerror}")
    with reservation:
        return Workers(command(host, port, 0, app), workers).run()


def work(host: str, port: int, app: str) -> None:
    """Serve until a signal."""
    import uvicorn  # here, since the parent does without

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, FILES), most))
    with suppress(KeyboardInterrupt):
        uvicorn.Server(uvicorn.Config(app, **FLAGS)).run(sockets=[bound(host, port)])


def reserved(host: str, port: int) -> socket.socket:
    """A socket that keeps the port for this user's workers and takes no connection itself.

    Raises:
        OSError: somebody listens there.
    """
    bound(host, port, shared=False).close()
    return bound(host, port)


def bound(host: str, port: int, *, shared: bool = True) -> socket.socket:
    """A socket on this address; each worker listens on one of its own.

    Raises:
        OSError: the address is not ours, or taken.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""How granian is run: the same flags for production, the local city and the measurements."""

from __future__ import annotations

import sys
from pathlib import Path

#: Connections that may wait in the kernel, and that one worker holds at a time.
BACKLOG, BACKPRESSURE = 1024, 1024

_LOG_CONFIG = Path(__file__).with_name("server_log.json")


def granian(host: str, port: int, workers: int, app: str = "gateway.app:create_app") -> list[str]:
    """The command line of the server.

    `--http 1` and the header timeout matter together: without the first there is no timer before
    the protocol is known, and a silent connection would stay open. Requests, not connections, are
    limited in the application.
    """
    return [
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory"),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--http", "1", "--no-ws", "--loop", "uvloop", "--runtime-mode", "st"),
        *("--http1-header-read-timeout", "5000", "--http1-buffer-size", "32768"),
        *("--backlog", str(BACKLOG), "--backpressure", str(BACKPRESSURE)),
        *("--respawn-failed-workers", "--workers-kill-timeout", "15"),
        # The main process has no application: this file brings its lines into the form of ours.
        *("--log-config", str(_LOG_CONFIG), "--log-level", "warning", "--no-access-log"),
        app,
    ]

"""No process outlives the one that started it.

Linux sends a process a signal of its choice when its parent ends (`PR_SET_PDEATHSIG`), SIGKILL of
the parent included. Three properties of that request shape this file:

- `fork` does not hand it on: every process asks for itself.
- Changing user clears it: a process that drops privileges asks afterwards.
- "Parent" means the *thread* that forked: children are started from a thread that stays.

Run as a script this file is the small program between a supervisor and an engine: it drops
privileges, asks, and becomes the engine, so that the engine keeps the process id.
It imports nothing of the project and may be imported by the application.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from typing import NamedTuple

PR_SET_PDEATHSIG = 1


class Account(NamedTuple):
    """An existing user of the system that an engine runs as."""

    uid: int
    gid: int


def die_with_parent(number: signal.Signals = signal.SIGKILL, parent: int | None = None) -> None:
    """Receive `number` when the parent ends, at once if it has ended already.

    `parent` is the process id the caller believes to be its parent. A server worker may leave it
    out: multiprocessing remembers who forked it.

    Raises OSError where the kernel refuses (not Linux).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl(PR_SET_PDEATHSIG): {os.strerror(code)}")
    if parent is None:
        known = multiprocessing.parent_process()
        parent = known.pid if known is not None else None
    # The parent may have ended before the request: nobody will send the signal then, so we do.
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), number)


def tethered(
    command: Sequence[str],
    *,
    signal_on_death: signal.Signals = signal.SIGTERM,
    account: Account | None = None,
) -> list[str]:
    """The command line that runs `command` as `account`, tied to the life of the calling thread.

    Isolated mode (`-I`, `-S`) starts the interpreter in some 15 ms and reads no user's settings.
    """
    who = "-" if account is None else f"{account.uid}:{account.gid}"
    head = [sys.executable, "-I", "-S", os.path.abspath(__file__)]
    return [*head, str(int(signal_on_death)), str(os.getpid()), who, *command]


def become(arguments: Sequence[str]) -> None:
    """Drop privileges, ask for the signal, and turn into the command; never returns."""
    number, parent, who, *command = arguments
    if who != "-":
        uid, gid = (int(part) for part in who.split(":"))
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    die_with_parent(signal.Signals(int(number)), int(parent))
    os.execv(command[0], command)  # noqa: S606  # becoming the engine is the purpose


if __name__ == "__main__":
    become(sys.argv[1:])

"""What the two engines share: private folders, and programs that another user can run."""

import os
import shutil
import subprocess
from pathlib import Path

from gateway.local.child import Child
from gateway.local.places import Places
from gateway.processes import Account


class Engine(Child):
    """An engine over a data folder: a child process with files of its own."""

    def __init__(self, name: str, data: Path, system: Path) -> None:
        self.places = Places.of(data, system)
        self.folder = self.places.folder(name)
        super().__init__(name, self.places.log(name))


def runnable(program: Path, account: Account | None) -> bool:
    """Whether that user may run the program: tried, since only the kernel knows every obstacle."""
    try:
        done = subprocess.run(
            [program, "--version"],
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            capture_output=True,
            check=False,
            cwd="/",
            timeout=10,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def copied(folder: Path, parts: list[str], target: Path, account: Account | None) -> Path:
    """A copy of these parts of a folder, side by side, that belongs to `account`.

    Made once per version, whole or not at all.
    """
    stamp = f"{(folder / parts[0]).stat().st_mtime_ns:x}"
    copy = target.with_name(f"{target.name}-{stamp}")
    if not copy.exists():
        partial = copy.with_name(f"{copy.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        for part in parts:
            if (folder / part).is_dir():
                shutil.copytree(folder / part, partial / part, symlinks=True)
            elif (folder / part).exists():
                shutil.copy2(folder / part, partial / part)
        if account is not None:
            # Whatever the modes of the original, its new owner can read and run it.
            for path in (partial, *partial.rglob("*")):
                os.chown(path, account.uid, account.gid, follow_symlinks=False)
        partial.rename(copy)
    return copy

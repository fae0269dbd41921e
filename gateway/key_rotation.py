"""Keys towards other cities change with an overlap: the file is written anew, whole or not at all.

The last key of a purpose signs. A new one is put in front of it: it is announced, in the entry that
the region publishes, long before it signs, and it signs when the last one is taken out.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from gateway.ids import Ids
from gateway.keys import KeyFile, KeyFileError, fresh_signing_key, load_keys

PURPOSES: Final = ("client", "grant", "status")
#: Keys of one purpose at a time; an entry has room for sixteen in all.
MOST: Final = 4


def add_city_key(path: Path, purpose: str, ids: Ids) -> str:
    """Put a new key in front of those of a purpose; returns its kid.

    Raises:
        KeyFileError: the file is not usable, or holds many keys of this purpose already.
    """
    file = _read(path)
    held = _held(file, purpose)
    if len(held) >= MOST:
        raise KeyFileError(f"{purpose}: {MOST} keys are there already; retire one first")
    fresh = fresh_signing_key(ids)
    _write(path, file, purpose, fresh | held)
    return next(iter(fresh))


def remove_city_key(path: Path, purpose: str, kid: str) -> str:
    """Take a key out; returns the kid of the one that signs now.

    Raises:
        KeyFileError: there is no such key, or no other one.
    """
    file = _read(path)
    held = _held(file, purpose)
    if kid not in held:
        there = ", ".join(held) or "none"
        raise KeyFileError(f"{purpose}: no key {kid!r}; there is: {there}")
    rest = {name: pem for name, pem in held.items() if name != kid}
    if not rest:
        raise KeyFileError(
            f"{purpose}: {kid} is the only one; run `qianjiang cities rotate {purpose}` first"
        )
    _write(path, file, purpose, rest)
    return list(rest)[-1]


def _read(path: Path) -> KeyFile:
    load_keys(path)  # missing, open to others, or unusable: it says so
    return msgspec.json.decode(path.read_bytes(), type=KeyFile)


def _held(file: KeyFile, purpose: str) -> dict[str, str]:
    held: dict[str, str] = getattr(file, f"city_{purpose}")
    return held


def _write(path: Path, file: KeyFile, purpose: str, keys: dict[str, str]) -> None:
    """Replace the file in one step: a city without its key file is lost."""
    changed = msgspec.structs.replace(file, **{f"city_{purpose}": keys})
    beside, owner = path.with_name(path.name + ".new"), path.stat()
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileError(
            f"{beside} is there: another change is under way, or was cut off; then delete it"
        ) from None
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(msgspec.json.format(msgspec.json.encode(changed)))
            out.flush()
            os.fsync(out.fileno())
            if os.geteuid() == 0:  # run by root, the file is the serving user's all the same
                os.fchown(out.fileno(), owner.st_uid, owner.st_gid)
        load_keys(beside)
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

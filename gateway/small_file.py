"""Reading a file that somebody named: all of it, and no more than such a file can have.

What is named by mistake may be a disk image, or a device that never ends.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

#: Bytes of the largest document that people hand over: an entry, a draft, a key file, a scheme.
LIMIT: Final = 256 * 1024


def read_small(path: Path, limit: int = LIMIT) -> bytes:
    """What is in a file of at most `limit` bytes.

    Raises:
        OSError: it cannot be read, or is larger (EFBIG).
    """
    with path.open("rb") as file:
        raw = file.read(limit + 1)
    if len(raw) > limit:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return raw

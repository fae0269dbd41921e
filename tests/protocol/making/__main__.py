"""Write the vectors anew: `python -m tests.protocol.making`."""

from __future__ import annotations

from tests.protocol.making.files import FOLDER, files

if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text, "utf-8")

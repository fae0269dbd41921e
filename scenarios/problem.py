"""What is wrong with a scenario's or scheme's file, said so that its author can mend it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator

import msgspec

Path = tuple[str | int, ...]
"""Where a value sits in a document: table names and positions, outermost first."""

_TABLE = re.compile(r"^\s*(?P<open>\[\[?)\s*(?P<name>[\w.\-]+)\s*\]")
_KEY = re.compile(r"^\s*(?P<name>[\w.\-]+)\s*=")
_TOML_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_SCHEMA_PATH = re.compile(r"^(?P<what>.*?)(?: - at (?:`key` in )?`\$(?P<at>[^`]*)`)?$")
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]")


class Finding(msgspec.Struct, frozen=True):
    """A fault at a place in a document, before it is known on which line that place is."""

    path: Path
    message: str
    remedy: str


class Problem(msgspec.Struct, frozen=True, order=True):
    """A fault in a file: where, what, and how to mend it."""

    file: str
    line: int
    field: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}: {self.message} {self.remedy}"


class ManifestError(Exception):
    """A scenario's files do not describe a scenario; `problems` lists every fault found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


def place(finding: Finding, file: str, text: str) -> Problem:
    """The finding as a problem of `file`, on the nearest line that names its place."""
    lines = dict(_lines(text))
    path = finding.path
    while path and path not in lines:
        path = path[:-1]
    line = lines.get(path, 1)
    return Problem(file, line, spell(finding.path), finding.message, finding.remedy)


def not_toml(error: tomllib.TOMLDecodeError, file: str, text: str) -> Problem:
    """A fault of syntax as the library words it, on the line that it names."""
    message = str(error)
    match = _TOML_LINE.search(message)
    line = int(match[1]) if match and match[1] else max(1, len(text.splitlines()))
    said = _TOML_LINE.sub("", message)
    return Problem(file, line, "(file)", f"This is not TOML: {said}.", "Mend the syntax.")


def misshapen(error: msgspec.ValidationError, remedy: str) -> Finding:
    """A fault of form as msgspec words it, with the place it names."""
    match = _SCHEMA_PATH.match(str(error))
    what, at = (match["what"], match["at"] or "") if match else (str(error), "")
    path: Path = tuple(int(i) if i else name for name, i in _STEP.findall(at))
    return Finding(path, f"{what}.", remedy)


def spell(path: Path) -> str:
    """A path as people write it: `clauses[2].when`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).lstrip(".") or "(file)"


def _lines(text: str) -> Iterator[tuple[Path, int]]:
    """Every table and key of a TOML text with its line; the library gives values only."""
    table: Path = ()
    counts: dict[Path, int] = {}
    quoted = False
    for number, line in enumerate(text.splitlines(), start=1):
        if not quoted:
            if header := _TABLE.match(line):
                table = _table(header, counts)
                yield table, number
            elif key := _KEY.match(line):
                yield (*table, *key["name"].split(".")), number
        # A text over several lines may hold what looks like a key: count its quotation marks.
        quoted ^= (line.count('"""') + line.count("'''")) % 2 == 1


def _table(header: re.Match[str], counts: dict[Path, int]) -> Path:
    """The path that a `[table]` or `[[array of tables]]` line opens, with array positions."""
    path: Path = ()
    names = header["name"].split(".")
    for depth, name in enumerate(names, start=1):
        path = (*path, name)
        if header["open"] == "[[" and depth == len(names):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path

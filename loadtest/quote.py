"""What docs/performance.md quotes of a result: `python -m loadtest.quote RESULT.json`.

The page holds blocks between `<!-- quote: NAME -->` and `<!-- /quote -->`. Each is written anew
from the result, and so are the pictures that they show. A test compares the blocks with the newest
published result, so that no figure on the page can drift.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable
from pathlib import Path

import click

from loadtest.notes import note
from loadtest.result import FOLDER, Result, newest, read
from loadtest.sections import pairs
from loadtest.tables import TABLES
from loadtest.tables.goals import bounds
from loadtest.tables.words import Table, number

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
IMAGES = PAGE.parent / "images"

#: Pictures on the page, with what they show for those who cannot see them.
PICTURES = {
    "cost": "Bars: CPU of a decision beside a bare handler and a framework's hello, by process",
    "peers": "Bars: decisions a second of the gateway, Cerbos and a conventional service",
    "latency": "A curve: latency by percentile in an open loop at half the peak",
    "offered": "Two curves: rate and latency against the offered load",
    "stages": "Bars: the workers' time in one decision, stage by stage",
    "flat": "Bars: cost of a decision in small and in big cities",
}

NOTHING = "*No result is published yet.*"

_BLOCK = re.compile(r"(<!-- quote: (\w+) -->\n).*?(<!-- /quote -->)", re.DOTALL)


def quoted(page: str, result: Result | None) -> str:
    """The page with every block as the result says.

    Raises:
        KeyError: a block is named that there is not.
    """
    return _BLOCK.sub(lambda found: found[1] + _block(found[2], result) + "\n" + found[3], page)


def blocks(page: str) -> list[str]:
    """The names of the page's blocks."""
    return [name for _, name, _ in _BLOCK.findall(page)]


def draw(result: Result, folder: Path = IMAGES) -> list[Path]:
    """Write the pictures of a result, as files that stand alone."""
    from loadtest.page.figures import pictures
    from loadtest.page.look import alone

    drawn = pictures(result)
    made = []
    for name in PICTURES:
        path = picture(name, folder)
        path.unlink(missing_ok=True)
        if name in drawn:
            path.write_text(alone(drawn[name]), "utf-8")
            made.append(path)
    return made


def picture(name: str, folder: Path = IMAGES) -> Path:
    """Where a picture of the page is kept."""
    return folder / f"performance-{name}.svg"


def _block(name: str, result: Result | None) -> str:
    make = _BLOCKS[name]
    return NOTHING if result is None else make(result) or "*Not measured.*"


def _headline(result: Result) -> str:
    """The result in a paragraph."""
    made = result.sections.pairs
    verdicts = [target.met for target in result.targets]
    count = len(verdicts)
    told = f"Of {count} targets {verdicts.count('yes')} are met, {verdicts.count('no')} are not"
    missing = verdicts.count("not measured")
    told += f", and {missing} were not measured." if missing else "."
    if made is None:
        return told
    rounds = made.rounds[pairs.UNIFORM]
    rate, workers, postgres, batch = (
        statistics.median(values)
        for values in zip(
            *((one.per_second, one.cost.workers, one.cost.postgres, one.batch) for one in rounds),
            strict=True,
        )
    )
    return (
        f"Measured on {result.date.isoformat()}: **{number(rate)} decisions a second** with"
        f" everything on the same cores, **{number(workers)} µs** of the workers' CPU each, and"
        f" {number(postgres)} µs of PostgreSQL's at {number(batch)} in a statement. {told}"
        f" [The whole result as a page](../loadtest/results/{result.date.isoformat()}.html)."
    )


def _missed(result: Result) -> str:
    """The targets that were missed, or not measured, each with what is known of it."""
    lines = []
    for target in result.targets:
        if target.met == "yes":
            continue
        if target.met == "no":
            said = f"{number(target.figure, target.unit)}, wanted {bounds(target)}."
            said = f"{said} {note(target.id)}".rstrip()
        else:
            said = f"not measured: {result.failures.get(target.where, 'its section did not run')}."
        lines.append(f"- **{target.id} {target.text}**: {said}")
    return "\n".join(lines) or "None: every target is met."


def _table(name: str) -> Callable[[Result], str]:
    return lambda result: markdown(TABLES[name](result))


def _picture(name: str) -> Callable[[Result], str]:
    def made(result: Result) -> str:
        section = {"cost": "pairs", "offered": "latency"}.get(name, name)
        if getattr(result.sections, section) is None:
            return ""
        return f"![{PICTURES[name]}](images/{picture(name).name})"

    return made


def markdown(table: Table) -> str:
    """A table in Markdown, figures to the right; empty where there are no rows."""
    if not table.rows:
        return ""
    words = 2 if not table.heads[0] else 1
    rules = ["---" if place < words else "---:" for place in range(len(table.heads))]
    lines = [table.heads, rules, *table.rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


_BLOCKS: dict[str, Callable[[Result], str]] = {
    "headline": _headline,
    "missed": _missed,
    **{name: _table(name) for name in TABLES},
    **{f"picture_{name}": _picture(name) for name in PICTURES},
}


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path, exists=True))
def main(path: Path | None) -> None:
    """Write the page's blocks and pictures from RESULT.json, by default the newest published."""
    path = path or newest()
    if path is None:
        raise click.ClickException(f"no result in {FOLDER}")
    result = read(path)
    PAGE.write_text(quoted(PAGE.read_text("utf-8"), result), "utf-8")
    for made in draw(result):
        click.echo(str(made))


if __name__ == "__main__":
    main()

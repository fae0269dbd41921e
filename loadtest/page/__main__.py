"""`python -m loadtest.page RESULT.json`: the page of a result, beside it. Nothing is measured."""

from __future__ import annotations

from pathlib import Path

import click

from loadtest.page.document import document
from loadtest.page.figures import drawn
from loadtest.page.legible import faults
from loadtest.result import read


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def main(path: Path) -> None:
    """Write RESULT.html, and say where a plot is hard to read."""
    result, page = read(path), path.with_suffix(".html")
    page.write_text(document(result), "utf-8")
    for plot, figure in drawn(result):
        for fault in faults(figure):
            click.echo(f"{plot.name}: {fault}", err=True)
    click.echo(str(page))


if __name__ == "__main__":
    main()

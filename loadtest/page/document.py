"""The page of a result: one HTML file that needs nothing else, for any screen, by day and night."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from loadtest.page.figures import PLOTS, pictures
from loadtest.page.look import variables
from loadtest.result import Result
from loadtest.tables import TABLES
from loadtest.tables.goals import SIGNS
from loadtest.tables.words import Table

#: The sections in reading order: heading, its plots, its tables, what to know of it.
PARTS: tuple[tuple[str, tuple[str, ...], tuple[str, ...], str], ...] = (
    (
        "Targets",
        ("targets",),
        ("targets",),
        "Figures are medians of paired rounds, with the least and the greatest beside them.",
    ),
    (
        "What others measured, beside ours",
        (),
        ("yardsticks",),
        "The columns “there” are the figures that the work began with, from another machine;"
        " “here” is this session."
        " Compare lines within one column, not across.",
    ),
    (
        "One request",
        ("cost",),
        ("costs",),
        "The contenders take turns on the same cores with the generator beside them. A decision"
        " checks token, body, subject, consent and rule, and answers after its record is durable.",
    ),
    (
        "What people use today",
        ("peers",),
        ("peers",),
        "Everything runs on the same cores: server, engines, generator.",
    ),
    (
        "Latency",
        ("latency", "stalls", "offered"),
        ("latency", "stalls"),
        "An open loop sends when a request is due, whatever became of those before. Evidence is"
        " gathered beside it and joined to every stall.",
    ),
    (
        "One decision by stage",
        ("stages",),
        ("stages",),
        "Where the workers' time goes, from the socket to the answer.",
    ),
    (
        "Growing",
        ("flat", "memory"),
        ("flat", "memory"),
        "More citizens, more scenarios, more consents: the same decision.",
    ),
    (
        "More than is let in",
        ("overload",),
        ("overload",),
        "The door is narrowed so that this machine can offer ten times what goes through.",
    ),
    ("AuthZEN 1.0", ("authzen",), ("authzen",), "Figures of batches are those of one item."),
    (
        "The other calls",
        ("calls",),
        ("calls",),
        "Sent once each over few connections; every acknowledged write is looked up afterwards.",
    ),
    (
        "On record",
        (),
        ("accounts",),
        "After each run the answers are compared with the rows. wrk keeps no ids, so its runs are"
        " counted; all others are looked up id by id.",
    ),
    ("Conditions", (), ("conditions",), "Absolute figures are this machine's; ratios travel."),
)

_STYLE = """
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:72rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;line-height:1.2;margin:1rem 0 .3rem}
h2{font-size:1.2rem;margin:2.5rem 0 .3rem;padding-top:1rem;border-top:1px solid var(--rule)}
p{margin:.3rem 0;max-width:46rem}
.muted,figcaption,caption{color:var(--muted);font-size:.88rem}
.score{display:flex;gap:1.5rem;flex-wrap:wrap;margin:1rem 0}
.score b{display:block;font-size:2rem;line-height:1.1}
.yes{color:var(--good)}.no{color:var(--bad)}.none{color:var(--muted)}
.pictures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(20rem,100%),1fr));
gap:0 1.5rem;align-items:start}
figure{margin:.8rem 0;max-width:33rem}
@media (min-width:70rem){#targets{display:grid;grid-template-columns:minmax(0,1fr) 26rem;
column-gap:2rem}#targets>*{grid-column:1/-1}#targets>.wide{grid-column:1;grid-row:3}
#targets>.pictures{grid-column:2;grid-row:3}}
summary{cursor:pointer;color:var(--muted);font-size:.9rem;padding:.5rem 0}
svg{width:100%;height:auto;display:block}
.wide{overflow-x:auto;margin:.8rem 0;-webkit-overflow-scrolling:touch}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .7rem .3rem 0;text-align:right;vertical-align:top;
border-bottom:1px solid var(--rule)}
th{color:var(--muted);font-weight:600}
th:first-child,td:first-child{text-align:left;min-width:8rem}
.words td{text-align:left}
.signs th:first-child,.signs td:first-child{min-width:0}
.signs th:nth-child(2),.signs td:nth-child(2){text-align:left;min-width:8rem}
td.yes,td.no{font-weight:700}
.signs td:nth-child(3){white-space:nowrap}
@media (max-width:34rem){.signs th:nth-child(5),.signs td:nth-child(5){display:none}}
footer{margin:3rem 0 1rem}
"""

#: How a table is set, where it is not words and then figures.
_KINDS = {"conditions": "words", "targets": "signs"}

#: Tables that are read at once; the others are unfolded by who wants to know more.
_OPEN = {"targets", "yardsticks", "conditions"}

_LOOKS = {SIGNS["yes"]: "yes", SIGNS["no"]: "no"}


def document(result: Result) -> str:
    """The whole page."""
    drawn = pictures(result)
    title = f"What a decision costs, {result.date.isoformat()}"
    body = "\n".join(
        [
            f"<h1>{escape(title)}</h1>",
            *_head(result),
            *(part for each in PARTS for part in _part(result, drawn, *each)),
            '<footer class="muted">Made by <code>python -m loadtest.page</code> from the JSON file'
            " of the same name.</footer>",
        ]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{variables(':root')}{_STYLE}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def _head(result: Result) -> Iterator[str]:
    """The score, and what must be known before anything is believed."""
    verdicts = [each.met for each in result.targets]
    known = (
        ("yes", "met", "yes"),
        ("no", "not met", "no"),
        ("not measured", "not measured", "none"),
    )
    tiles = (
        f'<div><b class="{look}">{verdicts.count(verdict)}</b> {words}</div>'
        for verdict, words, look in known
    )
    yield f'<div class="score">{"".join(tiles)}</div>'
    if result.conditions is not None:
        machine, versions = result.conditions.machine, result.conditions.versions
        yield _paragraph(
            f"{machine.cores} cores of {machine.cpu}, the load generator beside everything else;"
            f" {versions['server']}, Python {versions['Python']}. One session of"
            f" {result.took_s / 60:.0f} minutes."
        )
    if result.quick:
        yield _paragraph("A quick look: too short for its figures to mean much.")
    for name, reason in result.failures.items():
        yield _paragraph(f"Section {name} did not end: {reason}.")


def _part(
    result: Result,
    drawn: dict[str, str],
    heading: str,
    plots: tuple[str, ...],
    tables: tuple[str, ...],
    words: str,
) -> Iterator[str]:
    made = [(name, TABLES[name](result)) for name in tables]
    yield f'<section id="{tables[0]}"><h2>{escape(heading)}</h2>'
    if not any(table.rows for _, table in made):
        yield _paragraph("Not measured.") + "</section>"
        return
    yield _paragraph(words)
    captions = {plot.name: plot.words for plot in PLOTS}
    figures = (
        f"<figure>{drawn[name]}<figcaption>{escape(captions[name])}</figcaption></figure>"
        for name in plots
        if name in drawn
    )
    tables_ = "".join(_table(name, table) for name, table in made if table.rows)
    yield f'<div class="pictures">{"".join(figures)}</div>{tables_}</section>'


def _table(name: str, table: Table) -> str:
    heads = "".join(f"<th>{_inline(head)}</th>" for head in table.heads)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    made = (
        f'<div class="wide"><table class="{_KINDS.get(name, "figures")}">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    if name in _OPEN:
        return made
    return f"<details><summary>Figures: {name}, {len(table.rows)} lines</summary>{made}</details>"


def _cell(text: str) -> str:
    look = _LOOKS.get(text)
    return f'<td class="{look}">{text}</td>' if look else f"<td>{_inline(text)}</td>"


def _inline(text: str) -> str:
    """Words with `code` in them."""
    parts = escape(text).split("`")
    return "".join(
        f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts)
    )


def _paragraph(words: str) -> str:
    return f'<p class="muted">{_inline(words)}</p>'

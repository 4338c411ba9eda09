"""The blocks of feedback, each written once as HTML and once as plain text, so that both say the same.

Knows tables, styles and widths. Refuses to know what is said in them.
"""

from __future__ import annotations

import base64
import html
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace

from stepgrade.picture import Picture

TEXT_WIDTH = 88  # columns of the plain-text twin
PANEL = 344  # css pixels that one panel of a picture is wide
NOT_JUDGED = "“Not judged” is neither yes nor no: of this run the question has no answer yet."


@dataclass(frozen=True, slots=True)
class Feedback:
    """What the student sees of one exercise: a self-contained piece of HTML, and the same as plain text."""

    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict in one sentence, with its colour and sign."""

    mood: str
    words: str
    title: str
    score: str


@dataclass(frozen=True, slots=True)
class Para:
    """A paragraph; what stands between backticks is code."""

    words: str
    is_quiet: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """A line of code, or of an error."""

    words: str


@dataclass(frozen=True, slots=True)
class Table:
    """Yours beside torch's for some of the recorded columns; shape (num_steps, 2 * num_columns)."""

    columns: tuple[str, ...]
    steps: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: int  # step of the gap
    column: int  # of the gap, among those that are here
    first: str = "the start"  # what step 0 is
    left_out: tuple[str, ...] = ()  # columns that are not here


@dataclass(frozen=True, slots=True)
class Hints:
    """The mistake's name, and what to do about it."""

    lead: str
    hints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checks:
    """Each check with its answer and its points."""

    rows: tuple[tuple[str, str, float, float], ...]  # question, answer, points earned, points it is worth
    score: float
    points: float

    @property
    def note(self) -> str:
        """What must be said of the answers."""
        return NOT_JUDGED if any(answer == "not judged" for _, answer, _, _ in self.rows) else ""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Both paths on the objective, where there is one to be drawn, and the values against the step."""

    picture: Picture
    objective_alt: str  # empty where there is none
    values_alt: str
    caption: str


Block = Headline | Para | Code | Table | Hints | Checks | Pictures


def write_blocks(blocks: Iterator[Block]) -> Feedback:
    """All blocks as one piece of HTML and as one text."""
    kept = [_fitting(b) if isinstance(b, Table) else b for b in blocks if not (isinstance(b, Para) and not b.words)]
    body = "".join(map(_to_html, kept))
    text = "\n\n".join(filter(None, map(_to_text, kept)))
    return Feedback(f'<div class="stepgrade tex2jax_ignore mathjax_ignore" style="{_PAGE}">{body}</div>', f"{text}\n")


# -- HTML: styles stand inline, for pages that take <style> away -------------------------------------------------------

# see-through greys and tints: the page around may be light or dark
_PAGE = (
    "max-width:760px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;"
    "font-size:14px;line-height:1.5;text-align:left"
)
_RULE = "1px solid rgba(128,128,128,0.35)"
_QUIET = "font-size:12px;opacity:0.75"
_NUMBER = "padding:2px 9px;text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;border:0"
_WORDS = "padding:3px 12px 3px 0;text-align:left;white-space:normal;border:0"
_TABLE = "border-collapse:collapse;margin:10px 0;font-size:13px;border:0"
_MOODS = {
    "right": ("#009E73", "✓"),
    "off": ("#D55E00", "✗"),
    "rule": ("#E69F00", "!"),
    "open": ("#56B4E9", "…"),
    "ours": ("#56B4E9", "⚙"),
}  # colour and sign: never the colour alone
_SIGNS = {"yes": "✓", "no": "✗", "not judged": "–", "": " "}
_MARK = "▶"  # of the row that differs first
_HEADS = ("yours", "torch")


def _escape(words: str) -> str:
    """Escaped, `code` set as code; `$` and a backslash stand alone, so that no page takes them for mathematics."""
    safe = html.escape(words, quote=True).replace("$", "<span>$</span>").replace("\\", "<span>\\</span>")
    return re.sub(r"`([^`]{1,80})`", r'<code style="font-size:0.95em">\1</code>', safe)


def _to_html(block: Block) -> str:
    match block:
        case Headline(mood, words, title, score):
            color, sign = _MOODS[mood]
            return (
                f'<div style="border-left:4px solid {color};padding:2px 0 2px 12px;margin:4px 0 10px 0">'
                f'<div style="{_QUIET}">{_escape(title)} · {_escape(score)}</div>'
                f'<div style="font-size:17px;font-weight:600;line-height:1.35">{sign} {_escape(words)}</div></div>'
            )
        case Para(words, is_quiet):
            return f'<p style="margin:6px 0;overflow-wrap:anywhere;{_QUIET if is_quiet else ""}">{_escape(words)}</p>'
        case Code(words):
            return (
                '<pre style="margin:6px 0;padding:6px 10px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:13px;'
                f'background:rgba(128,128,128,0.12);color:inherit;border:0">{html.escape(words, quote=True)}</pre>'
            )
        case Table():
            return _table_to_html(block)
        case Hints(lead, hints):
            items = "".join(f'<li style="margin:2px 0">{_escape(h)}</li>' for h in hints)
            listed = f'<ul style="margin:4px 0 0 0;padding-left:20px">{items}</ul>' if items else ""
            return (
                '<div style="background:rgba(86,180,233,0.14);padding:8px 12px;margin:10px 0">'
                f'<div style="font-weight:600">{_escape(lead)}</div>{listed}</div>'
            )
        case Checks():
            return _checks_to_html(block)
        case Pictures(drawn, objective_alt, values_alt, caption):
            if drawn.objective is None:
                images = _image(drawn.values, values_alt, width=2 * PANEL)
            else:
                images = _image(drawn.objective, objective_alt) + _image(drawn.values, values_alt)
            return f'<div style="margin:12px 0 0 0">{images}</div><div style="{_QUIET}">{_escape(caption)}</div>'


def _image(png: bytes, alt: str, width: int = PANEL) -> str:
    return (
        f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}" alt="{html.escape(alt)}" width="{width}" '
        f'style="display:inline-block;vertical-align:top;width:{width}px;max-width:100%;height:auto;background:#fff;'
        'margin:0 4px 4px 0">'
    )


def _table_to_html(table: Table) -> str:
    rule = f"{_NUMBER};border-bottom:{_RULE}"
    step = f'<th scope="col" rowspan="2" style="{rule};vertical-align:bottom">step</th>'
    groups = "".join(
        f'<th scope="colgroup" colspan="2" style="{_NUMBER};text-align:center">{_escape(c)}</th>' for c in table.columns
    )
    heads = "".join(f'<th scope="col" style="{rule}">{head}</th>' for _ in table.columns for head in _HEADS)
    body = ""
    for number, row in zip(table.steps, table.rows, strict=True):
        is_marked = number == table.marked
        style = f"{_NUMBER};{'background:rgba(213,94,0,0.18)' if is_marked else 'font-weight:400'}"
        cells = "".join(
            f'<td style="{style};font-weight:{600 if is_marked and i // 2 == table.column else 400}">{cell}</td>'
            for i, cell in enumerate(row)
        )
        body += f'<tr><th scope="row" style="{style}">{f"{_MARK} " if is_marked else ""}{number}</th>{cells}</tr>'
    caption = _escape(_caption(_MARK, table))
    return (
        f'<div style="overflow-x:auto"><table style="{_TABLE}">'
        f'<caption style="caption-side:bottom;text-align:left;padding:4px 0;{_QUIET}">{caption}</caption>'
        f"<thead><tr>{step}{groups}</tr><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _caption(mark: str, table: Table) -> str:
    left_out = f" Left out: {', '.join(table.left_out)}." if table.left_out else ""
    return f"{mark} first gap; step 0 is {table.first}.{left_out}"


def _checks_to_html(block: Checks) -> str:
    if not block.rows:
        return ""
    rule = f"border-top:{_RULE}"
    body = "".join(
        f'<tr><td style="{_WORDS};{rule}">{_escape(question)}</td>'
        f'<td style="{_WORDS};white-space:nowrap;{rule}">{_SIGNS[answer]} {answer}</td>'
        f'<td style="{_NUMBER};{rule}">{earned:g} of {worth:g}</td></tr>'
        for question, answer, earned, worth in block.rows
    )
    return (
        f'<table style="{_TABLE}"><thead><tr><th scope="col" style="{_WORDS}">check</th>'
        f'<th scope="col" style="{_WORDS}">answer</th><th scope="col" style="{_NUMBER}">points</th></tr></thead>'
        f'<tbody>{body}<tr><th scope="row" colspan="2" style="{_WORDS};{rule}">together</th>'
        f'<td style="{_NUMBER};font-weight:600;{rule}">{block.score:g} of {block.points:g}</td></tr></tbody></table>'
        + (_to_html(Para(block.note, is_quiet=True)) if block.note else "")
    )


# -- plain text --------------------------------------------------------------------------------------------------------


def _wrap(words: str, first: str = "", rest: str | None = None) -> str:
    indents = {"initial_indent": first, "subsequent_indent": first if rest is None else rest}
    return textwrap.fill(words, TEXT_WIDTH, **indents).replace("\N{NO-BREAK SPACE}", " ")  # type: ignore[arg-type]


def _to_text(block: Block) -> str:
    match block:
        case Headline(mood, words, title, score):
            return f"{title} · {score}\n" + _wrap(f"{_MOODS[mood][1]} {words}", "", "  ")
        case Para(words):
            return _wrap(words)
        case Code(words):
            return _wrap(words, "    ")
        case Table():
            return _table_to_text(block)
        case Hints(lead, hints):
            return "\n".join([_wrap(lead), *(_wrap(h, "  - ", "    ") for h in hints)])
        case Checks():
            return _checks_to_text(block)
        case Pictures(_, objective_alt, values_alt):
            return _wrap(f"[Picture: {' '.join(filter(None, (objective_alt, values_alt)))}]")


def _fitting(table: Table) -> Table:
    """The table with as many columns as a page of text is wide."""
    lines = _table_lines(table)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if 2 + sum(widths) + 3 * (len(widths) - 1) <= TEXT_WIDTH or len(table.columns) == 1:
        return table
    return _fitting(_without_a_column(table))


def _without_a_column(table: Table) -> Table:
    """The table without its last column, or without the one before where the last one differs."""
    last = len(table.columns) - (1 if table.column < len(table.columns) - 1 else 2)
    return replace(
        table,
        columns=table.columns[:last] + table.columns[last + 1 :],
        rows=tuple(row[: 2 * last] + row[2 * last + 2 :] for row in table.rows),
        column=table.column - (table.column > last),
        left_out=(table.columns[last], *table.left_out),
    )


def _table_lines(table: Table) -> list[list[str]]:
    lines = [["", *(cell for name in table.columns for cell in (name, ""))]] if len(table.columns) > 1 else []
    lines.append(["step", *_HEADS * len(table.columns)])
    for number, row in zip(table.steps, table.rows, strict=True):
        lines.append([f"{'> ' if number == table.marked else ''}{number}", *row])
    return lines


def _table_to_text(table: Table) -> str:
    lines = _table_lines(table)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    written = ["   ".join(cell.rjust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*(f"  {line}" for line in written), _wrap(_caption(">", table), "  ")])


def _checks_to_text(block: Checks) -> str:
    lines = []
    for question, answer, earned, worth in (*block.rows, ("together", "", block.score, block.points)):
        first, *more = textwrap.wrap(question, TEXT_WIDTH - 16) or [""]
        said = answer if answer == "not judged" else f"{earned:g} of {worth:g}"
        lines.append(f"{_SIGNS[answer]} {first.ljust(TEXT_WIDTH - 16)} {said.rjust(12)}")
        lines += [f"  {part}" for part in more]
    lines += ["", _wrap(block.note)] if block.note else []
    return "\n".join(lines) if block.rows else ""

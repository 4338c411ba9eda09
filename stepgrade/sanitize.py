"""What students hand in, made safe to look at: nothing of it runs in the browser or the terminal of who grades.

Knows how nbconvert, JupyterLab and MathJax show cells and outputs, and which of that can run code. Refuses to know
grades and kernels. Keeps by allow-lists: text, tables, pictures, formulas; what is not known to be harmless goes.

References:
    nbconvert renders raw HTML in Markdown, raw cells, SVG and text/html outputs as they are, lets `javascript:` links
    pass (`IPythonRenderer`, allow_harmful_protocols). MathJax 2 follows `\\href` and `\\mmlToken{a}[href=…]`, takes CSS
    in `\\style`, `\\bbox[…]` and `\\fcolorbox{…}`, and passes over `wbr` and comments within a formula (tex2jax's
    `ignoreTags`).
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from stepgrade.quoting import CONTROL, without_escapes
from stepgrade.records import Output

PICTURES = ("image/png", "image/jpeg", "image/gif")
MOST_PIXELS = 1 << 15
TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "center",
        "code",
        "col",
        "colgroup",
        "dd",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "kbd",
        "li",
        "math",
        "ol",
        "p",
        "pre",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
        "var",
    ]
)
# `wbr` is missing on purpose: MathJax reads on over it as if nothing stood there, and finds commands that nobody wrote.
ATTRIBUTES = {
    "*": ["align", "class", "style", "title"],
    "a": ["href"],
    "col": ["span", "width"],
    "img": ["alt", "height", "src", "width"],
    "ol": ["start"],
    "table": ["border", "cellpadding", "cellspacing", "width"],
    "td": ["colspan", "rowspan", "valign"],
    "th": ["colspan", "rowspan", "scope", "valign"],
}
STYLES = frozenset(
    [
        "background-color",
        "border",
        "border-collapse",
        "color",
        "display",
        "font-family",
        "font-size",
        "font-style",
        "font-weight",
        "height",
        "margin",
        "max-height",
        "max-width",
        "min-width",
        "padding",
        "text-align",
        "text-decoration",
        "vertical-align",
        "white-space",
        "width",
    ]
)
# `id` and `name` are missing on purpose: they can shadow what the page's own scripts look for.
VOID = frozenset(["br", "col", "hr", "img"])
CLOSES_ITSELF = frozenset(["dd", "dt", "li", "p", "td", "th", "tr"])  # one that begins ends the one before it
MOST_NESTED = 100  # open tags; a browser cuts a deep tree too, and takes its time
MOST_TEXT = 20_000  # characters of a Markdown cell: rendering takes quadratic time where it is ill-meant
MOST_ENVIRONMENTS = 100  # `\begin{…}` in one text: for each that does not end nbconvert reads all that follows
MOST_COLOURED = 20_000  # words, blanks and signs of code in a notebook; a lesson has some seven thousand
MOST_IN_LINE = 1000  # characters; the colouring of IPython's code looks ahead from each of them to the line's end
MOST_TEXTS = 400_000  # characters of all Markdown in a notebook; a lesson has some ten thousand

PLAIN_TAG = re.compile(
    r"</?(?:b|i|u|em|strong|sub|sup|s|kbd|code|br|hr|p|center|table|thead|tbody|tr|td|th|ul|ol|li)\s*/?>", re.I
)
# No "=" in it: within HTML, browsers read <https://x/onfocus=…> as an element with a handler.
AUTOLINK = re.compile(r"<(?:https?://|mailto:)[^\s<>\"'`\\=]*>", re.I)
TAG_START = re.compile(r"<(?=[A-Za-z/!?])")
GAP = r"[\s\\\x00-\x20]*"  # what browsers and Markdown leave out of an address
SCRIPT_ADDRESS = re.compile(
    GAP.join("javascript") + GAP + ":|" + GAP.join("vbscript") + GAP + ":|" + GAP.join("livescript") + GAP + ":", re.I
)
DATA_ADDRESS = re.compile(GAP.join("data") + GAP + r":(?!image/(?:png|jpeg|gif);base64,)", re.I)
# A link of Markdown, or the definition of one, that leads neither elsewhere nor to a heading nor to a picture within
# the notebook: a page that was handed in beside it would open as one of the grader's own.
FOREIGN_LINK = re.compile(r"\](?=\(|:)(?![(:]\s*<?(?:https?://|mailto:|#|attachment:|data:image/))", re.I)
# A picture of Markdown that is not within the notebook: to show it asks a server, ours with the grader's own rights, or
# one that keeps count of who looks. What may stay is spelled in one way, with no sign in it that begins something else.
FOREIGN_PICTURE = re.compile(
    r"!\[(?![\w .,:;/()+=-]*\]\((?:attachment:[A-Za-z0-9_.+-]+|data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/=]+)\))"
)
ATTACHMENT = re.compile(GAP.join("attachment") + GAP + r":(?:(?P<name>[A-Za-z0-9_.+-]+)(?=[)\s\"'>]))?")
ENTITY = re.compile(r"&(?:#[0-9]+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);?")
LONG_NUMBER = re.compile(r"#[0-9]{1000}[0-9]*")  # as a character's number Python refuses to read it, with an error
MATH_COMMAND = re.compile(  # with all backslashes before it: of `\\\\href` one would be left; begun at the first alone
    r"(?<!\\)\\+(href|url|style|cssId|class|require|Newextarrow|unicode|includegraphics|data|mmlToken|bbox|fcolorbox|html\w*)"
    r"(?![A-Za-z])"
)
BLOCKS = re.compile(r"<(script|style|iframe|object|embed|template|noscript|svg|math)\b.*?(?:</\1\s*>|\Z)", re.I | re.S)
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<![^<>]*>|<\?[^<>]*>", re.S)
TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9]*)(?P<rest>(?:\s+[^\s<>"'=/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s<>"'=`]+))?)*)\s*/?>"""
)
ATTRIBUTE = re.compile(r"""([^\s<>"'=/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s<>"'=`]+))?""")
STYLE_VALUE = re.compile(r"""[\w\s#%.,+"'-]*(?:(?:rgb|hsl)a?\([\d\s.,%/-]*\)[\w\s#%.,+-]*)*\Z""")
COLOR = re.compile(r"\x1b\[[0-9;]*m")
PIECE = re.compile(r"\w+|\s+|[^\w\s]")  # of code: what may get a colour of its own
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*\Z")
WORD = re.compile(r"[\w .+-]{1,100}\Z")


def clean_notebook(nb: Any, released: Collection[str] = ()) -> None:
    """Clean a whole notebook in place: cells, outputs, attachments and metadata.

    Args:
        nb: the notebook.
        released: texts of the lesson's own Markdown: a cell that still has one of them is the instructor's, and stays.
    """
    metadata = nb.get("metadata", {})
    nb["metadata"] = type(metadata)({key: _plain(metadata[key]) for key in NOTEBOOK_METADATA if key in metadata})
    left = MOST_TEXTS
    for cell in nb["cells"]:
        if cell.get("cell_type") in ("markdown", "raw"):
            cell["source"] = _cut(_text(cell["source"]), max(0, min(MOST_TEXT, left)))
            left -= len(cell["source"])
        if cell.get("cell_type") != "markdown" or not _is_released(cell, released):
            clean_cell(cell)
    _leave_uncoloured(nb)


def _leave_uncoloured(nb: Any) -> None:
    """Have code beyond what a page can colour in a second shown as plain text; the code itself stays as it is."""
    left = MOST_COLOURED
    for cell in nb["cells"]:
        if cell.get("cell_type") == "code":
            source = _text(cell["source"])
            num_pieces = sum(1 for _ in PIECE.finditer(source))
            if num_pieces > left or max(map(len, source.split("\n"))) > MOST_IN_LINE:
                cell["metadata"] |= PLAIN
            else:
                left -= num_pieces


def _is_released(cell: Any, released: Collection[str]) -> bool:
    """Whether a cell is the instructor's; nbconvert breaks off at a picture which went with the cell's attachments."""
    return cell["source"] in released and "attachments" not in cell and not ATTACHMENT.search(cell["source"])


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}\n\n(cut here, it is too long to be shown)"


NOTEBOOK_METADATA = ("kernelspec", "language_info", "celltoolbar")
PLAIN = {"magics_language": "text"}  # in a cell's metadata: where nbconvert looks for the language to colour
CELL_METADATA = ("nbgrader", "collapsed", "deletable", "editable", "scrolled", "jupyter", "tags", "execution")


def clean_cell(cell: Any) -> None:
    """Clean one cell in place; the text of code cells stays as it is, for it is always shown as text."""
    metadata = cell.get("metadata", {})
    cell["metadata"] = type(metadata)(
        {key: metadata[key] if key == "nbgrader" else _plain(metadata[key]) for key in CELL_METADATA if key in metadata}
    )
    if metadata.items() >= PLAIN.items():
        cell["metadata"] |= PLAIN
    kind = cell.get("cell_type")
    if "attachments" in cell:
        cell["attachments"] = type(metadata)(_clean_attachments(cell["attachments"]))
    if kind == "markdown":
        cell["source"] = clean_markdown(_text(cell["source"]), cell.get("attachments", ()))
    elif kind == "raw":
        cell["source"] = _defuse(LONG_NUMBER.sub("# ", _text(cell["source"])))
    elif kind == "code" and "outputs" in cell:
        outputs = clean_outputs(cell["outputs"])
        cell["outputs"] = [type(metadata)(output) for output in outputs] if metadata is not None else outputs


# -------------------------------------------------------------------------------------------------------------- outputs


def clean_outputs(outputs: Iterable[Output]) -> list[Output]:
    """The same outputs without anything that could run.

    Returns:
        New outputs. Of several representations of one thing the harmless ones are kept; where none is, a line says so.
    """
    return [_clean_output(output) for output in outputs]


def _clean_output(output: Output) -> Output:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": "stream", "name": name, "text": clean_text(_text(output.get("text", "")))}
    if kind == "error":
        return {
            "output_type": "error",
            "ename": clean_text(_text(output.get("ename", ""))),
            "evalue": clean_text(_text(output.get("evalue", ""))),
            "traceback": [clean_text(_text(line)) for line in output.get("traceback", [])],
        }
    data = output.get("data")
    cleaned: Output = {
        "output_type": "execute_result" if kind == "execute_result" else "display_data",
        "data": clean_data(data if isinstance(data, Mapping) else {}),
        "metadata": _display_metadata(output.get("metadata")),
    }
    if kind == "execute_result":
        count = output.get("execution_count")
        cleaned["execution_count"] = count if type(count) is int and 0 <= count < 1 << 31 else None
    return cleaned


def clean_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """A MIME bundle with its harmless representations."""
    cleaned: dict[str, Any] = {}
    for mime, value in data.items():
        kept = _clean_value(str(mime), value)
        if kept is not None:
            cleaned.setdefault(*kept)
    if not cleaned and data:
        names = ", ".join(name if WORD.match(name.replace("/", ".")) else "?" for name in map(str, data))
        cleaned["text/plain"] = f"[not shown here: {names}]"
    return cleaned


def _clean_value(mime: str, value: Any) -> tuple[str, str] | None:
    if not isinstance(value, str | list):
        return None
    text = _text(value)
    if mime in PICTURES:
        return (mime, text) if BASE64.match(text) else None
    if mime == "image/svg+xml":
        return "text/html", _as_picture(text)
    if mime == "text/plain":
        return mime, clean_text(text)
    if mime == "text/html":
        return mime, clean_html(text)
    if mime == "text/latex":
        return mime, clean_latex(text)
    if mime == "text/markdown":
        return mime, clean_markdown(_cut(text, MOST_TEXT))
    return None


def _as_picture(svg: str) -> str:
    """A drawing as an <img>, in which browsers run no script and load nothing."""
    data = base64.b64encode(svg.encode("utf-8", "replace")).decode("ascii")
    return f'<img alt="drawing" src="data:image/svg+xml;base64,{data}">'


def _display_metadata(metadata: Any) -> dict[str, Any]:
    """Sizes and backgrounds: templates write them into attributes."""
    if not isinstance(metadata, Mapping):
        return {}
    cleaned: dict[str, Any] = {}
    for key, value in metadata.items():
        if (key in ("width", "height") and type(value) in (int, float) and 0 <= value < MOST_PIXELS) or (
            key == "needs_background" and value in ("light", "dark")
        ):
            cleaned[key] = value
        elif key in PICTURES and isinstance(value, Mapping):
            cleaned[key] = _display_metadata(value)
    return cleaned


# ----------------------------------------------------------------------------------------------------------------- text


def clean_text(text: str) -> str:
    """Text for a page or a terminal: colours stay; moving the cursor, titles, links and control characters go."""
    parts = []
    place = 0
    for color in COLOR.finditer(text):
        parts += [without_escapes(text[place : color.start()]), color.group()]
        place = color.end()
    return "".join([*parts, without_escapes(text[place:])])


def clean_html(text: str) -> str:
    """HTML with tables, emphasis and pictures; without scripts, styles, frames, handlers and addresses that run.

    Written anew from what is known to be harmless: text is escaped, tags are closed, attributes quoted. So it does not
    matter how a browser reads what is not well-formed, and it takes linear time, whatever the text is.
    """
    text = LONG_NUMBER.sub("# ", COMMENT.sub("", BLOCKS.sub("", CONTROL.sub("", text))))
    parts: list[str] = []
    opened: list[str] = []
    place = 0
    for tag in TAG.finditer(text):
        parts.append(_as_text(text[place : tag.start()]))
        parts += _write_tag(tag, opened)
        place = tag.end()
    parts.append(_as_text(text[place:]))
    return _defuse_math("".join([*parts, *(f"</{name}>" for name in reversed(opened))]))


def _as_text(text: str) -> str:
    """Entities are decoded first, for MathJax reads the text that they spell."""
    return html.escape(CONTROL.sub("", html.unescape(text)), quote=False)


def _write_tag(tag: re.Match[str], opened: list[str]) -> list[str]:
    """A tag that may stay, and the ends of those that it closes."""
    name = tag["name"].lower()
    if name not in TAGS:
        return []
    ends: list[str] = []
    if tag["end"]:
        while name in opened and not (ends and ends[-1] == f"</{name}>"):
            ends.append(f"</{opened.pop()}>")
        return ends
    if opened and opened[-1] == name in CLOSES_ITSELF:
        ends.append(f"</{opened.pop()}>")
    if name not in VOID:
        if len(opened) >= MOST_NESTED:
            return ends
        opened.append(name)
    return [*ends, f"<{name}{_write_attributes(name, tag['rest'])}>"]


def _write_attributes(tag: str, text: str) -> str:
    written: dict[str, str] = {}
    for attribute, quoted in ATTRIBUTE.findall(text):
        name, value = attribute.lower(), CONTROL.sub("", html.unescape(quoted.strip("\"'")))
        value = _clean_style(value) if name == "style" else value
        if name not in written and _is_allowed(tag, name, value):
            written[name] = f' {name}="{html.escape(value)}"'
    return "".join(written.values())


def _clean_style(value: str) -> str:
    """The declarations that change how a thing looks; without addresses and functions."""
    kept = []
    for declaration in value[:2000].split(";"):
        name, _, wanted = (part.strip() for part in declaration.partition(":"))
        if name.lower() in STYLES and wanted and STYLE_VALUE.match(wanted):
            kept.append(f"{name.lower()}: {wanted};")
    return " ".join(kept)


def _is_allowed(tag: str, name: str, value: str) -> bool:
    if name not in ATTRIBUTES["*"] and name not in ATTRIBUTES.get(tag, []):
        return False
    if name == "src":
        return re.match(r"data:image/(?:png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/=\s]*\Z", value) is not None
    if name == "href":
        return re.match(r"(?:https?://|mailto:|#)", value.strip(), re.I) is not None
    return bool(value)


def clean_latex(text: str) -> str:
    """A formula: `<` becomes `\\lt`, which looks the same and is no tag; commands that make links and styles go.

    `&` gets a blank behind it, which means the same in a formula and begins no entity.
    """
    return _defuse_math(re.sub(r"&(?=[#A-Za-z])", "& ", CONTROL.sub("", text)).replace("<", r"\lt "))


def clean_markdown(source: str, attachments: Iterable[str] = ()) -> str:
    """Markdown whose HTML and links cannot run, and whose pictures are within the notebook.

    A tag loses its meaning by a space after its `<`, so that it is still readable; plain tags without attributes
    (`<b>`, `<br>`, a table) and `<https://…>` stay. A picture from elsewhere becomes a link by a space after its `!`,
    one that would be looked for on the grader's own server becomes text. The same text inside code is changed in the
    same way: telling code from text would have to be done exactly as the renderer does it.

    Args:
        source: the cell's text.
        attachments: names of the cell's pictures; nbconvert breaks off at one that is not there.
    """
    source = LONG_NUMBER.sub("# ", CONTROL.sub("", source))
    source = LONG_NUMBER.sub("# ", ENTITY.sub(_decode_ascii, source))  # entities spell digits too
    if source.count(r"\begin{") > MOST_ENVIRONMENTS:
        source = source.replace(r"\begin{", r"\begin {")
    source = SCRIPT_ADDRESS.sub(_defuse_address, source)
    source = DATA_ADDRESS.sub(_defuse_address, source)
    known = frozenset(attachments)
    source = ATTACHMENT.sub(lambda a: a.group() if a["name"] in known else _defuse_attachment(a), source)
    source = FOREIGN_PICTURE.sub("! [", FOREIGN_LINK.sub("] ", source))
    source = _defuse_math(_defuse(source))
    return source.replace("&", "& ") if _hides_something(source, known) else source


def _hides_something(source: str, known: Collection[str]) -> bool:
    """Whether entities spell an address or a command, even in several layers and with backslashes between them."""
    if "&" not in source:
        return False
    for shown in (source, source.replace("\\", "")):
        for _ in range(NUM_LAYERS):
            shown = html.unescape(shown)
            if any(hidden.search(shown) for hidden in (SCRIPT_ADDRESS, DATA_ADDRESS, MATH_COMMAND)):
                return True
            if any(a["name"] not in known for a in ATTACHMENT.finditer(shown)):
                return True
    return False


NUM_LAYERS = 3  # how often a renderer and a browser together decode a text, and once more


def _decode_ascii(entity: re.Match[str]) -> str:
    """Entities that spell letters, colons or blanks could hide an address; `&lt;` and its like stay."""
    text = html.unescape(entity.group())
    return text if len(text) == 1 and (text.isalnum() or text in ":\t\n\r \\/.;") and text.isascii() else entity.group()


def _defuse_address(address: re.Match[str]) -> str:
    return address.group()[:-1].strip() + " :"


def _defuse_attachment(address: re.Match[str]) -> str:
    return f"attachment : {address['name'] or ''}"


def _defuse(text: str) -> str:
    """No tag begins in it but the plain ones."""
    parts = []
    place = 0
    for tag in TAG_START.finditer(text):
        if tag.start() < place:
            continue
        harmless = PLAIN_TAG.match(text, tag.start()) or AUTOLINK.match(text, tag.start())
        end = harmless.end() if harmless else tag.end()
        parts.append(text[place:end] + ("" if harmless else " "))
        place = end
    return "".join([*parts, text[place:]])


def _defuse_math(text: str) -> str:
    """MathJax commands that make links or name styles become their names."""
    return MATH_COMMAND.sub(r"\1", text)


# ------------------------------------------------------------------------------------------------------------- the rest


def _clean_attachments(attachments: Any) -> dict[str, Any]:
    """Pictures that Markdown shows by `attachment:name`."""
    if not isinstance(attachments, Mapping):
        return {}
    pictures = {
        str(name): {mime: _text(data[mime]) for mime in PICTURES if mime in data and BASE64.match(_text(data[mime]))}
        for name, data in attachments.items()
        if isinstance(data, Mapping) and re.match(r"[\w .+-]{1,200}\Z", str(name))
    }
    return {name: data for name, data in pictures.items() if data}


def _plain(value: Any) -> Any:
    """Metadata of numbers and short words; templates write some of it into pages."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if WORD.match(str(key))}
    if isinstance(value, list):
        return [item for item in (_plain(item) for item in value[:100]) if item not in (None, "")]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return value if abs(value) < 1 << 53 else None  # not nan and not without end: JSON has no such numbers
    return value if isinstance(value, str) and WORD.match(value) else ""


def _text(value: Any) -> str:
    """nbformat has long texts as lists of lines."""
    return "".join(str(line) for line in value) if isinstance(value, list) else str(value)

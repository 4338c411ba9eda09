"""What students hand in, made safe to look at: nothing of it runs in the browser or the terminal of who grades.

Knows how nbconvert, JupyterLab and MathJax show cells and outputs, and which of that can run code. Refuses to know
grades and kernels. Keeps by allow-lists: text, tables, pictures, formulas; what is not known to be harmless goes.

References:
    nbconvert renders raw HTML in Markdown, raw cells, SVG and text/html outputs as they are, lets `javascript:` links
    pass (`IPythonRenderer`, allow_harmful_protocols); MathJax 2 follows `\\href`.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from stepgrade.records import Output

PICTURES = ("image/png", "image/jpeg", "image/gif")
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
        "wbr",
    ]
)
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

PLAIN_TAG = re.compile(
    r"</?(?:b|i|u|em|strong|sub|sup|s|kbd|code|br|hr|p|center|table|thead|tbody|tr|td|th|ul|ol|li)\s*/?>", re.I
)
AUTOLINK = re.compile(r"<(?:https?://|mailto:)[^\s<>\"'`\\]*>", re.I)
TAG_START = re.compile(r"<(?=[A-Za-z/!?])")
GAP = r"[\s\\\x00-\x20]*"  # what browsers and Markdown leave out of an address
SCRIPT_ADDRESS = re.compile(
    GAP.join("javascript") + GAP + ":|" + GAP.join("vbscript") + GAP + ":|" + GAP.join("livescript") + GAP + ":", re.I
)
DATA_ADDRESS = re.compile(GAP.join("data") + GAP + r":(?!image/(?:png|jpeg|gif);base64,)", re.I)
ENTITY = re.compile(r"&(?:#[0-9]+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);?")
MATH_COMMAND = re.compile(
    r"\\(href|url|style|cssId|class|require|Newextarrow|unicode|includegraphics|data|html\w*)(?![A-Za-z])"
)
BLOCKS = re.compile(r"<(script|style|iframe|object|embed|template|noscript|svg|math)\b.*?(?:</\1\s*>|\Z)", re.I | re.S)
COLOR = re.compile(r"\x1b\[[0-9;]*m")
ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)|\x9b[0-?]*[ -/]*[@-~]?"
)
CONTROL = re.compile(r"[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*\Z")
WORD = re.compile(r"[\w .+-]{1,100}\Z")


def clean_notebook(nb: Any) -> None:
    """Clean a whole notebook in place: cells, outputs, attachments and metadata."""
    metadata = nb.get("metadata", {})
    nb["metadata"] = type(metadata)({key: _plain(metadata[key]) for key in NOTEBOOK_METADATA if key in metadata})
    for cell in nb["cells"]:
        clean_cell(cell)


NOTEBOOK_METADATA = ("kernelspec", "language_info", "celltoolbar")
CELL_METADATA = ("nbgrader", "collapsed", "deletable", "editable", "scrolled", "jupyter", "tags", "execution")


def clean_cell(cell: Any) -> None:
    """Clean one cell in place; the text of code cells stays as it is, for it is always shown as text."""
    metadata = cell.get("metadata", {})
    cell["metadata"] = type(metadata)(
        {key: metadata[key] if key == "nbgrader" else _plain(metadata[key]) for key in CELL_METADATA if key in metadata}
    )
    kind = cell.get("cell_type")
    if kind == "markdown":
        cell["source"] = clean_markdown(_text(cell["source"]))
    elif kind == "raw":
        cell["source"] = _defuse(_text(cell["source"]))
    elif kind == "code" and "outputs" in cell:
        outputs = clean_outputs(cell["outputs"])
        cell["outputs"] = [type(metadata)(output) for output in outputs] if metadata is not None else outputs
    if "attachments" in cell:
        cell["attachments"] = type(metadata)(_clean_attachments(cell["attachments"]))


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
        cleaned["execution_count"] = count if isinstance(count, int) else None
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
        return mime, clean_markdown(text)
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
        if (key in ("width", "height") and isinstance(value, int | float) and not isinstance(value, bool)) or (
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
        parts += [_plain_text(text[place : color.start()]), color.group()]
        place = color.end()
    return "".join([*parts, _plain_text(text[place:])])


def _plain_text(text: str) -> str:
    return CONTROL.sub("", ESCAPE.sub("", text)).replace("\x1b", "")


def clean_html(text: str) -> str:
    """HTML with tables, emphasis and pictures; without scripts, styles, frames, handlers and addresses that run."""
    import bleach  # type: ignore[import-untyped]  # no stubs are needed for two calls
    from bleach.css_sanitizer import CSSSanitizer  # type: ignore[import-untyped]  # as above

    text = BLOCKS.sub("", CONTROL.sub("", text))
    cleaned = bleach.clean(
        text,
        tags=TAGS,
        attributes=_is_allowed,
        protocols={"http", "https", "mailto", "data"},
        css_sanitizer=CSSSanitizer(allowed_css_properties=STYLES),
        strip=True,
    )
    return _defuse_math(str(cleaned))


def _is_allowed(tag: str, name: str, value: str) -> bool:
    if name not in ATTRIBUTES["*"] and name not in ATTRIBUTES.get(tag, []):
        return False
    if name == "src":
        return re.match(r"data:image/(?:png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/=\s]*\Z", value) is not None
    if name == "href":
        return re.match(r"(?:https?://|mailto:|#)", value.strip(), re.I) is not None
    return True


def clean_latex(text: str) -> str:
    """A formula: `<` becomes `\\lt`, which looks the same and is no tag; commands that make links and styles go."""
    return _defuse_math(CONTROL.sub("", text).replace("<", r"\lt "))


def clean_markdown(source: str) -> str:
    """Markdown whose HTML and links cannot run.

    A tag loses its meaning by a space after its `<`, so that it is still readable; plain tags without attributes
    (`<b>`, `<br>`, a table) and `<https://…>` stay. The same text inside code is changed in the same way: telling code
    from text would have to be done exactly as the renderer does it.
    """
    source = ENTITY.sub(_decode_ascii, CONTROL.sub("", source))
    source = SCRIPT_ADDRESS.sub(_defuse_address, source)
    source = DATA_ADDRESS.sub(_defuse_address, source)
    return _defuse_math(_defuse(source))


def _decode_ascii(entity: re.Match[str]) -> str:
    """Entities that spell letters, colons or blanks could hide an address; `&lt;` and its like stay."""
    text = html.unescape(entity.group())
    return text if len(text) == 1 and (text.isalnum() or text in ":\t\n\r \\/.;") and text.isascii() else entity.group()


def _defuse_address(address: re.Match[str]) -> str:
    return address.group()[:-1].strip() + " :"


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
    return {
        str(name): {mime: _text(data[mime]) for mime in PICTURES if mime in data and BASE64.match(_text(data[mime]))}
        for name, data in attachments.items()
        if isinstance(data, Mapping) and re.match(r"[\w .+-]{1,200}\Z", str(name))
    }


def _plain(value: Any) -> Any:
    """Metadata of numbers and short words; templates write some of it into pages."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if WORD.match(str(key))}
    if isinstance(value, list):
        return [item for item in (_plain(item) for item in value[:100]) if item not in (None, "")]
    if isinstance(value, bool | int | float) or value is None:
        return value
    return value if isinstance(value, str) and WORD.match(value) else ""


def _text(value: Any) -> str:
    """nbformat has long texts as lists of lines."""
    return "".join(str(line) for line in value) if isinstance(value, list) else str(value)

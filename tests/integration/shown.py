"""A page as a browser reads it: by the HTML5 algorithm, not by the look of its text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

import html5lib

HTML = "{http://www.w3.org/1999/xhtml}"
INERT = frozenset((
    "a", "abbr", "b", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del",
    "details", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img",
    "input", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strike", "strong",
    "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var",
))  # fmt: skip
HARMLESS = frozenset((
    "align", "alt", "border", "cellpadding", "cellspacing", "checked", "class", "colspan", "disabled", "height",
    "href", "open", "rel", "rowspan", "scope", "span", "src", "start", "style", "title", "type", "valign", "width",
))  # fmt: skip
HOOKS = re.compile(
    r"\b(?:btn|score|extra-credit|full-credit|no-credit|mark-graded|tabbable|comment|name-\w+|save-icon)\b"
)
LOADS = ("src", "srcset", "poster", "background", "lowsrc", "dynsrc", "data", "imagesrcset")
LEADS = ("href", "action", "formaction", "xlink:href", "{http://www.w3.org/1999/xlink}href", "cite", "longdesc", "ping")
COMMAND = re.compile(
    r"\\(?:href|url|style|cssId|class|require|unicode|includegraphics|data|mmlToken|bbox|fcolorbox|html\w*)(?![A-Za-z])"
)
PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|svg\+xml);base64,")


def read(html: str) -> Element:
    """The tree of what stands in a page's body."""
    start = html.find("<body")
    found: Element = html5lib.parse(html[start:] if start >= 0 else html)
    return found


def parts(html: str) -> list[Element]:
    """Where a page of the classic templates shows Markdown and outputs."""
    wanted = {"text_cell_render", "output_subarea"}
    return [e for e in read(html).iter() if wanted & set((e.get("class") or "").split())]


def name_of(element: Element) -> str:
    """Without HTML's namespace; what has another one keeps it."""
    return str(element.tag).removeprefix(HTML) if isinstance(element.tag, str) else "comment"


def elements(page: bytes) -> Iterator[tuple[str, dict[str, str], str, str]]:
    """All of a page, head and body: names, attributes, and the text behind the start and the end of each element."""
    for element in html5lib.parse(page.decode()).iter():
        attributes = {name: " ".join(value.split()) if name == "class" else value for name, value in element.items()}
        yield name_of(element), attributes, *(" ".join((t or "").split()) for t in (element.text, element.tail))


def text_of(html: str) -> str:
    """What stands to be read."""
    return "".join(read(html).itertext())


def troubles(part: Element) -> list[str]:
    """What in a piece of a page could run, load, lead away from it or be taken for a part of the page."""
    found = []
    for element in [e for child in part for e in child.iter()]:
        name = name_of(element)
        if name not in INERT:
            found.append(f"<{name}>")
        for attribute, value in element.attrib.items():
            if attribute not in HARMLESS or not HARMLESS_VALUES.get(attribute, lambda _: True)(value):
                found.append(f"<{name} {attribute}={value!r}>")
        if name == "input" and (element.get("type") != "checkbox" or element.get("disabled") is None):
            found.append("<input>")
    return found + commands(part)


HARMLESS_VALUES: dict[str, Callable[[str], object]] = {
    "class": lambda value: not HOOKS.search(value),
    "href": lambda value: re.match(r"https?://|mailto:|#", value),
    "src": lambda value: PICTURE.match(value),
    "style": lambda value: not re.search(r"\\|url|expression|position|margin|inset|-\d|import|;\s*--", value),
}


def commands(part: Element) -> list[str]:
    """Commands that MathJax would follow: in text, with what it passes over taken away."""
    return COMMAND.findall("".join(_mathematical(part)))


def _mathematical(element: Element) -> Iterator[str]:
    if name_of(element) in ("pre", "code", "script", "style", "textarea", "noscript"):
        return
    yield element.text or ""
    for child in element:
        if name_of(child) not in ("comment", "wbr"):
            yield " "
            yield from _mathematical(child)
            yield " "
        yield child.tail or ""


def addresses(html: str) -> list[str]:
    """What a browser loads for a page's body, without asking."""
    found = []
    for element in read(html).iter():
        for attribute, value in element.attrib.items():
            is_style = attribute == "style" and "(" in value and not re.search(r"(?:rgb|hsl)a?\(", value)
            is_link = name_of(element) == "link" and attribute == "href"
            if attribute in LOADS or is_style or is_link:
                found.append(value)
    return found


def poison(html: str) -> list[str]:
    """What of a submission would run in a browser; poison says `owned`."""
    found = []
    for element in read(html).iter():
        name = name_of(element)
        if name in ("iframe", "object", "embed", "frame", "base", "meta"):
            found.append(f"<{name} {element.attrib}>")
        if name in ("script", "style") and "owned" in (element.text or ""):
            found.append((element.text or "")[:100])
        for attribute, value in element.attrib.items():
            runs = attribute.startswith("on") and "owned" in value
            leads = attribute in (*LEADS, *LOADS)
            runs |= (
                leads
                and re.match(r"[\x00-\x20]*(?:java|vb)script\s*:|(?!https?:|mailto:|#|data:image/).*owned", value, re.I)
                is not None
            )
            if runs:
                found.append(f"<{name} {attribute}={value!r}>")
    return found + commands(read(html))

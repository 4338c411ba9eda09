"""What `str(BeautifulSoup(page, "html.parser"))` gives, without building the tree.

nbconvert passes every page through BeautifulSoup to add attributes to a few elements; that takes three quarters of the
time of a page. The same text is written here while the page is read. Where a page is not plain enough to be sure of
that (a tag left open, a declaration, a character reference out of the ordinary), `normalize` says so by None, and the
caller takes the long way.

Knows how BeautifulSoup writes what Python's `html.parser` reads. Refuses to guess.
"""

from __future__ import annotations

import functools
import re
from html.parser import HTMLParser

from bs4 import BeautifulSoup
from bs4.builder import HTMLTreeBuilder
from bs4.dammit import EntitySubstitution

VOID = frozenset(HTMLTreeBuilder.DEFAULT_EMPTY_ELEMENT_TAGS or ())
KEEPS_SPACE = frozenset(HTMLTreeBuilder.DEFAULT_PRESERVE_WHITESPACE_TAGS)  # pre, textarea
RAW = frozenset(("script", "style"))
OTHER_STRINGS = frozenset(("template", "rt", "rp"))  # BeautifulSoup has classes of its own for text in these
NEEDS_LOOK = re.compile(r'<img(?![^<>]*\salt=)|class="[^"]*(?:jp-Notebook|jp-Cell-inputWrapper|jp-OutputArea-output)')
NUMBER = re.compile(r"(?:[0-9]{1,6}|[xX][0-9A-Fa-f]{1,5})\Z")
SPACES = " \n\t\x0c\r"  # BeautifulSoup's ASCII_SPACES


class NotPlain(Exception):
    """The page has something that is better left to BeautifulSoup."""


def normalize(page: str) -> str | None:
    """The page as BeautifulSoup would write it; None where that is not certain.

    Args:
        page: a whole page without images that lack a description and without JupyterLab's own classes.
    """
    if NEEDS_LOOK.search(page):
        return None
    writer = _Writer()
    try:
        writer.feed(page)
        writer.close()
        return writer.text()
    except NotPlain:
        return None


class _Writer(HTMLParser):
    """Writes each event as soon as it is read."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._written: list[str] = []
        self._open: list[str] = []
        self._data: list[str] = []
        self._num_keeping = 0

    def text(self) -> str:
        """All that was written."""
        self._end_data()
        if self._open:
            raise NotPlain
        return "".join(self._written)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens; void ones are written whole."""
        if tag in OTHER_STRINGS:
            raise NotPlain
        self._end_data()
        self._written.append(_start_tag(self.get_starttag_text() or "", tag))
        if tag not in VOID:
            self._open.append(tag)
            self._num_keeping += tag in KEEPS_SPACE

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<tag/>`"""
        if tag not in VOID:
            raise NotPlain
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """A tag closes, the innermost one or the page is not plain."""
        self._end_data()
        if not self._open or self._open.pop() != tag:
            raise NotPlain
        self._num_keeping -= tag in KEEPS_SPACE
        self._written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Text."""
        self._data.append(data)

    def handle_entityref(self, name: str) -> None:
        """`&name;`"""
        if name not in EntitySubstitution.HTML_ENTITY_TO_CHARACTER:
            raise NotPlain
        self._data.append(EntitySubstitution.HTML_ENTITY_TO_CHARACTER[name])

    def handle_charref(self, name: str) -> None:
        """`&#39;` or `&#x27;`"""
        if not NUMBER.match(name):
            raise NotPlain
        code = int(name[1:], 16) if name[0] in "xX" else int(name)
        if not (32 <= code < 127 or 160 <= code < 0xD800):  # between them, Windows' letters are meant
            raise NotPlain
        self._data.append(chr(code))

    def handle_comment(self, data: str) -> None:
        """`<!-- -->`"""
        self._end_data()
        if not data:
            raise NotPlain
        self._written.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        """`<!DOCTYPE html>`"""
        self._end_data()
        if decl.lower() != "doctype html":
            raise NotPlain
        self._written.append(f"<!DOCTYPE {decl[len('DOCTYPE ') :]}>\n")

    def handle_pi(self, data: str) -> None:
        """`<?…>`"""
        raise NotPlain

    def unknown_decl(self, data: str) -> None:
        """`<![…]>`"""
        raise NotPlain

    def _end_data(self) -> None:
        if not self._data:
            return
        data = "".join(self._data)
        self._data.clear()
        if not self._num_keeping and not data.strip(SPACES):
            data = "\n" if "\n" in data else " "
        is_raw = bool(self._open) and self._open[-1] in RAW
        self._written.append(data if is_raw else str(EntitySubstitution.substitute_xml(data)))


@functools.lru_cache(maxsize=20_000)
def _start_tag(raw: str, tag: str) -> str:
    """A start tag as BeautifulSoup writes it; a page has thousands of which few differ."""
    written = str(BeautifulSoup(raw, "html.parser"))
    if tag in VOID:
        return written
    end = f"</{tag}>"
    if not written.endswith(end):
        raise NotPlain
    return written.removesuffix(end)

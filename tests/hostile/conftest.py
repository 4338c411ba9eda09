"""What the tests of hostile submissions share: how to see whether something of a page would run."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest


@pytest.fixture(scope="session")
def find_poison() -> Callable[[str], list[str]]:
    """A function that lists what of a submission would run in a browser; poison says `owned`."""
    return _find_poison


def _find_poison(page: str) -> list[str]:
    """What of a submission would run in a browser."""
    found: list[str] = []

    class Finder(HTMLParser):
        script = False
        code = 0  # open elements in which MathJax reads nothing

        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            self.script = tag == "script"
            self.code += tag in ("pre", "code")
            values = {name: value or "" for name, value in attributes}
            if tag in ("iframe", "object", "embed") or any(
                n.startswith("on") and "owned" in v for n, v in values.items()
            ):
                found.append(f"<{tag} {values}>")
            if any(re.match(r"\s*javascript:", values.get(n, ""), re.I) for n in ("href", "src", "action")):
                found.append(f"<{tag} {values}>")
            if any(re.match(r"(?!https?:|#).*owned", values.get(n, "")) for n in ("href", "src", "action")):
                found.append(f"<{tag} {values}>")

        def handle_endtag(self, tag: str) -> None:
            self.script = False
            self.code -= tag in ("pre", "code")

        def handle_data(self, data: str) -> None:
            if self.script and "owned" in data:
                found.append(data[:100])
            if not self.code and re.search(r"\\(?:href|mmlToken|unicode|style|class|cssId)\b", data):
                found.append(data[:100])

    Finder().feed(page)
    return found

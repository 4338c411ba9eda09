"""Text from elsewhere, made fit to be quoted: in a sentence, a log or a terminal.

Knows the characters that a terminal obeys and those that nobody sees. Refuses to know what a text says, and how
Markdown and HTML read it.
"""

from __future__ import annotations

import re
import traceback
import unicodedata
from pathlib import Path

MAX_QUOTE = 300  # characters of anything that a student's process wrote
MOST_OF_A_PROBLEM = 200  # characters of what went wrong here; it may quote a student
MOST_OF_A_NAME = 100  # characters of a file's name
ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)|\x9b[0-?]*[ -/]*[@-~]?"
)
CONTROL = re.compile(r"[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def without_escapes(text: str) -> str:
    """The text without escape codes and control characters, but for those that programs print: `\\n\\t\\r\\b`."""
    return CONTROL.sub("", ESCAPE.sub("", text)).replace("\x1b", "")


def without_orders(text: str) -> str:
    """The text in its lines, for a terminal: nothing in it moves the cursor back over what was said before."""
    return without_escapes(text).replace("\r", "").replace("\b", "")


def clean(text: str, limit: int = MAX_QUOTE) -> str:
    """Text from elsewhere, fit for one line: no escape codes, no invisible or reversing characters, not too long."""
    text = unicodedata.normalize("NFC", without_escapes(str(text)[: 8 * limit]))
    text = "".join(c if c.isspace() or unicodedata.category(c)[0] != "C" else "" for c in text)
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def quote_problem(problem: BaseException, folder: Path | None = None) -> str:
    """An exception in one line, for those who are to mend it: its type, the files and lines, and its words.

    Args:
        problem: it may quote what a student's process wrote.
        folder: whose files are named first, as the place to begin with; then the one that raised it.

    Example:
        KeyError (test_optimizer.py, line 81; compare.py, line 40): 'x0'
    """
    frames = traceback.StackSummary.extract(traceback.walk_tb(problem.__traceback__), lookup_lines=False)
    own = [frame for frame in frames if folder is not None and Path(frame.filename).is_relative_to(folder)]
    places = dict.fromkeys(f"{Path(frame.filename).name}, line {frame.lineno}" for frame in own[-1:] + frames[-1:])
    where = f" ({'; '.join(places)})" if places else ""
    return f"{type(problem).__name__}{where}: {clean(str(problem), MOST_OF_A_PROBLEM) or '(no message)'}"

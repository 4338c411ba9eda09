"""nbgrader's exchange, for classes of which not everybody handed in through it.

Knows nbgrader's plug-in for releasing feedback and what it reads. Refuses to know grading and what is on the pages.
"""

from __future__ import annotations

import glob
from pathlib import Path

from nbgrader.exchange.default import ExchangeReleaseFeedback

from stepgrade import strange_files
from stepgrade.quoting import clean

MARKS = ("timestamp.txt", "submission_secret.txt")
"""What `nbgrader submit` puts beside a notebook; a page is found again by the secret, which the student keeps too."""
MOST_OF_A_MARK = 1 << 12  # bytes


class ReleaseFeedback(ExchangeReleaseFeedback):  # type: ignore[misc]  # nbgrader is not typed
    """Releases the pages of those who can fetch them, and names the others; nbgrader breaks off at the first of these.

    Who did not hand in through the exchange (files put there by hand, or by `zip_collect`) has nothing to fetch with.
    """

    src_path: str

    def copy_files(self) -> None:
        """Release one submission after the other."""
        pages = glob.glob(f"{self.src_path}/*.html")  # noqa: PTH207 -- what nbgrader made is a pattern already
        folders = sorted({str(Path(page).parent) for page in pages})
        others = [folder for folder in folders if not all(_is_text(Path(folder) / mark) for mark in MARKS)]
        for folder in folders:
            if folder not in others:
                self.src_path = glob.escape(folder)
                super().copy_files()
        if others:
            self.log.warning(
                "Not released, for they did not come through the exchange and cannot be fetched there: %s. Hand these "
                "pages out yourself, or through your LMS.",
                ", ".join(clean(str(Path(folder).relative_to(self.coursedir.root))) for folder in others),
            )


def _is_text(file: Path) -> bool:
    """Whether a file is there and says something that can be read and printed: the student may have written it."""
    opened = strange_files.open_plain(file, MOST_OF_A_MARK)
    if opened is None:
        return False
    with opened:
        data = opened.read(MOST_OF_A_MARK)
    return data.isascii() and data.decode("ascii").strip().isprintable()

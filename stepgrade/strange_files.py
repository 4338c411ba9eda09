"""Files that a stranger handed in: found without recursion, opened without following a link or waiting at a pipe.

Knows the file system. Refuses to know what the files are for.
"""

from __future__ import annotations

import functools
import operator
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

# What a machine does not have (links to follow, pipes to wait at), it has no flag for.
AS_IT_IS = os.O_RDONLY | functools.reduce(
    operator.or_, (getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
)


def walk(folder: Path) -> Iterator[str]:
    """Relative paths of everything that is no folder, in an order that is always the same.

    No recursion: folders may be nested in thousands. A folder that is closed to us, or deeper than a path can be long,
    counts as a file.
    """
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError:
            yield str(place.relative_to(folder))
            continue
        waiting += [Path(entry.path) for entry in reversed(entries) if entry.is_dir(follow_symlinks=False)]
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                yield str(Path(entry.path).relative_to(folder))


def open_plain(path: Path, most_bytes: int) -> BinaryIO | None:
    """The file, opened; None where it is no plain file, closed to us or larger than that."""
    try:
        handle = os.open(path, AS_IT_IS)
    except OSError:
        return None
    seen = os.fstat(handle)
    if not stat.S_ISREG(seen.st_mode) or seen.st_size > most_bytes:
        os.close(handle)
        return None
    return os.fdopen(handle, "rb")


def choose(
    folder: Path, most_files: int, most_bytes: int, is_wanted: Callable[[str], bool]
) -> Iterator[tuple[str, BinaryIO | None]]:
    """The wanted files of a folder, each open until the next is asked for; None for what is unfit or too much.

    Args:
        folder: where to look, to any depth.
        most_files, most_bytes: what all files together may be; who reads on in a growing file is on their own.
        is_wanted: told each relative path; the others do not count.
    """
    num_files = 0
    for name in walk(folder):
        if not is_wanted(name):
            continue
        file = open_plain(folder / name, most_bytes) if num_files < most_files else None
        if file is None:
            yield name, None
            continue
        with file:
            num_files, most_bytes = num_files + 1, most_bytes - os.fstat(file.fileno()).st_size
            yield name, file

"""What a kernel can be asked: run a cell, call a function. Two ways to be one: `plain` (nbclient) and `warm`.

Knows the words between the hall and the student's process. Refuses to know checks, grades and notebooks.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from stepgrade import strange_files
from stepgrade.records import Call, CellResult, Limits, Run

KEPT_BACK = (".ipynb", ".report.json", ".answers.json")
"""Endings of files that lie beside a submission's own and are not handed to its process: the grader's notebook has the
hidden parts of the cells in it."""
MAX_FILES = 1000


def own_files(folder: Path | None, max_bytes: int) -> Iterator[tuple[str, BinaryIO | None]]:
    """A submission's own files for its process: plain ones, by relative path; None for what is unfit or too much."""
    if folder is None:
        return iter(())
    return strange_files.choose(folder, MAX_FILES, max_bytes, lambda name: not name.endswith(KEPT_BACK))


def can_fork() -> bool:
    """Whether this machine can run warm kernels at all."""
    return sys.platform.startswith("linux") and hasattr(os, "fork") and hasattr(socket, "send_fds")


Step = str | Call
"""What a kernel can be asked to do: a cell's source, to be run, or a call, to be made."""


class Kernel(Protocol):
    """One student process, started for one submission and used once. It exists only while the process does."""

    @property
    def is_alive(self) -> bool:
        """Whether the process can still be asked. False after a death or a kill."""
        ...

    @property
    def cpu_seconds(self) -> float:
        """Processor time that the next cell or call may take; halved after each that was stopped."""
        ...

    @property
    def memory_mib(self) -> float | None:
        """The most that its processes held at once beyond a fresh kernel, in MiB, once it has ended; None: unknown."""
        ...

    def run_cell(self, source: str) -> CellResult:
        """Run one code cell. Whatever the cell does is a value, never an exception.

        Args:
            source: the cell's text, magics allowed.

        Returns:
            Outputs in nbformat's form and a status. A cell over its time, the processor's or the wall's, is interrupted
            first, the process is killed when that does not help; a cell over the submission's time is refused with
            status `timed_out`.

        Raises:
            KernelError: the kernel broke by our fault.
        """
        ...

    def call(self, call: Call) -> Run:
        """Call a function that the cells defined.

        Args:
            call: function name and inputs; an objective as source text.

        Returns:
            The numbers, or how it failed. The limits of a cell hold for a call too, and its own bound.

        Raises:
            KernelError: the kernel broke by our fault.
        """
        ...

    def do_all(self, steps: Sequence[Step]) -> Iterator[CellResult | Run]:
        """Run cells and make calls in this order, without waiting between them; see `run_cell` and `call`.

        Yields:
            What came of each. A step that ended the process, one that came after the submission's time, and a call that
            was stopped are the last: what is behind them has not been done.
        """
        ...


class Provisioner(Protocol):
    """Gives out kernels, as many as asked for, one after the other or side by side."""

    @property
    def protections(self) -> Sequence[str]:
        """The walls around a student process, strongest first; empty where there are none."""
        ...

    @property
    def missing(self) -> Sequence[str]:
        """The walls that this machine does not offer."""
        ...

    def start(self, files: Path | None, limits: Limits) -> AbstractContextManager[Kernel]:
        """A fresh kernel in a work folder of its own; leaving the context ends every process of it.

        Args:
            files: folder whose files are copied into the work folder (the submission's own), or None.
            limits: what the submission may use.

        Raises:
            KernelError: no kernel could be started.
        """
        ...

    def close(self) -> None:
        """End whatever is kept between kernels."""
        ...

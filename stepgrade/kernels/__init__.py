"""Kernels: where the student's code runs. `interface` says what one can do; `warm` and `plain` do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepgrade.errors import KernelError

if TYPE_CHECKING:
    from pathlib import Path

    from stepgrade.kernels.interface import Provisioner


LIVE_PLOT = "import live_plot"
"""What the lesson's set-up cell loads; loading it takes longer than all the rest of that cell."""


def open_provisioner(kind: str, require_protections: bool = False, live_plot: Path | None = None) -> Provisioner:
    """Where kernels come from.

    Args:
        kind: "warm", "nbclient", or "auto": warm where this machine can fork, else nbclient.
        require_protections: refuse to go on where a wall is missing.
        live_plot: the course's live_plot.py, which warm kernels have loaded before they are forked.

    Raises:
        KernelError: the kind cannot be had here, or a required wall is missing.
    """
    from stepgrade.kernels.warm import WarmProvisioner

    if kind == "warm" or (kind == "auto" and WarmProvisioner.is_available()):
        return WarmProvisioner(
            require=("all",) if require_protections else (),
            warm_up=LIVE_PLOT if live_plot is not None else "",
            released=[live_plot] if live_plot is not None else [],
        )
    if require_protections:
        raise KernelError(
            "an ordinary kernel has no walls around student code: grade on Linux with c.Stepgrade.kernel = 'warm', "
            "or set c.Stepgrade.require_protections = False"
        )
    from stepgrade.kernels.plain import PlainProvisioner

    return PlainProvisioner()

"""Kernels: where the student's code runs. `interface` says what one can do; `warm` and `plain` do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepgrade.errors import KernelError
from stepgrade.kernels.interface import can_fork

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stepgrade.kernels.interface import Provisioner


def open_provisioner(
    kind: str,
    require_protections: bool = False,
    released: Mapping[str, str] | None = None,
    cells: Sequence[str] = (),
) -> Provisioner:
    """Where kernels come from.

    Args:
        kind: "warm", "nbclient", or "auto": warm where this machine can fork, else nbclient.
        require_protections: refuse to go on where a wall is missing.
        released: text of the Python files that everybody was given, by name; warm kernels have them loaded.
        cells: text of the code cells that everybody was given; warm kernels have run them once.

    Raises:
        KernelError: the kind cannot be had here, or a required wall is missing.
    """
    if kind == "warm" and not can_fork():
        raise KernelError("warm kernels need Linux: set c.Stepgrade.kernel = 'nbclient' or 'auto' on this machine")
    if kind != "nbclient" and can_fork():
        from stepgrade.kernels.warm import WarmProvisioner

        return WarmProvisioner(("all",) if require_protections else (), released or {}, cells)
    if require_protections:
        raise KernelError(
            "an ordinary kernel has no walls around student code: grade on Linux with c.Stepgrade.kernel = 'warm', "
            "or set c.Stepgrade.require_protections = False"
        )
    from stepgrade.kernels.plain import PlainProvisioner

    return PlainProvisioner()

"""Breaks ties between mistakes that give the same numbers, by what the cell's text does.

Knows which lines speak for a mistake and which against it. Refuses to know numbers; where the text does not settle a
tie, all candidates stay.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Sequence

import torch

from stepgrade.exercise import Exercise
from stepgrade.source import text_of

from .cell import Cell

OPTIMIZERS = frozenset(name for name in dir(torch.optim) if isinstance(getattr(torch.optim, name), type)) - {
    "Optimizer"
}
Witness = Callable[[Cell], "bool | None"]
"""True: the text speaks for the mistake. False: against it. None: it does not say."""


def decide(cell: Cell, names: Sequence[str]) -> list[str]:
    """The candidates that the text leaves: the one that it speaks for, else those that it does not speak against."""
    names = list(dict.fromkeys(names))
    if len(names) < 2:
        return names
    says = {name: _says(name, cell) for name in names}
    supported = [name for name in names if says[name]]
    if len(supported) == 1:
        return supported
    left = [name for name in names if says[name] is not False]
    kept = supported or left or names
    return [name for name in kept if name not in OF_TEXT or says[name]] or kept


OF_TEXT = ("left-blank",)
"""Mistakes that are nothing but a text: without it, their numbers say nothing."""


def _says(name: str, cell: Cell) -> bool | None:
    if name not in WITNESSES or (cell.is_opaque and name not in BY_NAMES):
        return None
    return WITNESSES[name](cell)


def needless(cell: Cell) -> list[str]:
    """Harmless habits of a right answer."""
    if cell.is_unread:
        return []
    found = []
    order = cell.order()
    guarded = re.search(r"^[ \t]*(if|try)\b.*:", _loop_text(cell), re.MULTILINE) is not None
    if order.count("zero") > 1 and not guarded:
        found.append("needless-zeroing")
    if cell.keeps_graph() and order.count("backward") == 1 and "autograd.grad" not in cell.source:
        found.append("needless-retain-graph")
    if _steps_at_the_top(cell):
        found.append("update-at-top-of-next-pass")
    if (
        _appends(cell, r"^\(?(\w+),?") & _values(cell)
        and "detach" not in cell.source
        and ".data" not in " ".join(_appended(cell))
    ):
        found.append("graph-kept-in-list")
    if re.search(r"append\(\(?\s*\w+\.(detach\(\)|data)\s*[,)]", cell.source) and _keeps_points(cell):
        found.append("aliased-records-harmless")
    return found


def _loop_text(cell: Cell) -> str:
    found = re.search(r"^[ \t]*(for|while)\b.*", cell.source, re.MULTILINE | re.DOTALL)
    return found.group(0).partition("\n")[2] if found else ""


def _steps_at_the_top(cell: Cell) -> bool:
    """A guarded update that stands before the forward pass."""
    order = cell.order()
    moves = [i for i, what in enumerate(order) if what in ("step", "update")]
    if not moves or "forward" not in order or "backward" not in order:
        return False
    is_guarded = "step" in order or re.match(r"\s*if\b", _loop_text(cell)) is not None
    return is_guarded and max(moves) < order.index("forward") < order.index("backward")


def _appended(cell: Cell) -> list[str]:
    """What is appended, as text."""
    return [text_of(argument) or "" for call in cell.calls(".append") for argument in call.args]


def _appends(cell: Cell, pattern: str) -> set[str]:
    """Bare names that are appended, alone or first in a pair."""
    return {m.group(1) for text in _appended(cell) if (m := re.match(pattern + r"($|[\s,)])", text))}


def _values(cell: Cell) -> set[str]:
    """Names that hold f's value as a tensor: assigned f(...) alone."""
    return set(
        re.findall(rf"^[ \t]*(\w+)[ \t]*(?::[^=\n]*)?=\s*{re.escape(cell.f)}\([^()]*\)\s*$", cell.source, re.MULTILINE)
    )


def _keeps_points(cell: Cell) -> bool:
    return bool(re.search(rf"append\(\(?\s*{re.escape(cell.x)}\.(detach|data)", cell.source))


def other_tools(cell: Cell, exercise: Exercise) -> list[str]:
    """The one optimizer or scheduler of torch that the cell uses in place of what torch's own run uses."""
    asked = names_of_code(exercise.reference)
    used = cell.names & OPTIMIZERS
    others = {OTHER_OPTIMIZERS[name] for name in used if name in OTHER_OPTIMIZERS}
    names = sorted(others - {OTHER_OPTIMIZERS.get(name, "") for name in asked})
    if asked & OPTIMIZERS and not asked & used and len(names) == 1:
        return names
    schedulers = cell.names & SCHEDULERS - asked if asked & SCHEDULERS and not names else set()
    if "ReduceLROnPlateau" in schedulers:
        return ["plateau-scheduler"]
    return ["other-scheduler"] if schedulers else []


def names_of_code(function: Callable[..., object]) -> set[str]:
    """The names and attributes that a function of ours mentions, functions inside it too."""
    found, todo = set[str](), [getattr(inspect.unwrap(function), "__code__", None)]
    while todo:
        code = todo.pop()
        if code is not None:
            found.update(code.co_names)
            todo += [part for part in code.co_consts if isinstance(part, types.CodeType)]
    return found


OTHER_OPTIMIZERS = {
    "Adam": "other-optimizer-adam",
    "AdamW": "other-optimizer-adam",
    "RMSprop": "other-optimizer-rmsprop",
    "Adagrad": "other-optimizer-adagrad",
    "ASGD": "other-optimizer-asgd",
    "LBFGS": "other-optimizer-lbfgs",
}
OTHER_SCHEDULERS = frozenset(
    [
        "LinearLR",
        "CosineAnnealingLR",
        "CosineAnnealingWarmRestarts",
        "CyclicLR",
        "OneCycleLR",
        "PolynomialLR",
        "SequentialLR",
        "ConstantLR",
    ]
)
SCHEDULERS = OTHER_SCHEDULERS | {"StepLR", "MultiStepLR", "ExponentialLR", "ReduceLROnPlateau"}
"""Those that are a schedule of their own; a lambda can be any."""


def _uses(*names: str) -> Witness:
    return lambda cell: bool(cell.names & set(names))


def _differentiates(cell: Cell) -> bool:
    return cell.does("backward") or bool(cell.names & {"jvp", "jacobian", "grad_and_value", "vjp"})


def _moves(cell: Cell, in_loop: bool) -> bool:
    return cell.does("step", in_loop) or cell.does("update", in_loop)


def _in_order(*wanted: str) -> Witness:
    """Whether the loop does these things one after the other, with others in between or not."""

    def says(cell: Cell) -> bool:
        order = iter(["move" if what in ("step", "update") else what for what in cell.order()])
        return all(what in order for what in wanted)

    return says


def _new_name(cell: Cell) -> bool:
    """A point is computed in the loop and stored under another name than x."""
    other = rf"^[ \t]*(?!{re.escape(cell.x)}\b)\w+[ \t]*=.*\b{re.escape(cell.x)}(\.data)?\s*[-+]"
    return re.search(other, _loop_text(cell), re.MULTILINE) is not None and not cell.does("update", True)


def _other_tensor(cell: Cell) -> bool | None:
    given = re.findall(r"(?:SGD|Adam|RMSprop|Adagrad)\((?:params=)?\[([^\]]{0,200})\]", cell.source)
    return any(text.strip().rstrip(",").strip() != cell.x for text in given) or None


WITNESSES: dict[str, Witness] = {
    "backward-missing": lambda c: not _differentiates(c),
    "optimizer-not-stepped": lambda c: not c.does("step") and _differentiates(c),
    "update-outside-loop": lambda c: _moves(c, False) and not _moves(c, True),
    "grad-zeroed-before-use": Cell.clears_before_use,
    "step-before-backward": lambda c: (
        bool(_in_order("zero", "move", "backward")(c)) and not _in_order("backward", "move")(c)
    ),
    "x-reset-in-loop": lambda c: c.does("made", True),
    "update-in-new-name": _new_name,
    "no-update": lambda c: not _moves(c, True) and not _moves(c, False) and not _new_name(c) and _differentiates(c),
    "left-blank": lambda c: not _moves(c, True) and not _moves(c, False) and not _differentiates(c),
    "optimizer-on-other-tensor": _other_tensor,
    "y-computed-once": lambda c: not c.does("forward", True),
    "backward-twice": lambda c: c.count("backward", True) > 1,
    "update-twice": lambda c: c.count("update", True) > 1,
    "lr-doubled": lambda c: c.count("backward", True) == 1 and c.count("update", True) + c.count("step", True) == 1,
    "other-optimizer-asgd": _uses("ASGD"),
    "momentum-lost": lambda c: not c.names & {"ASGD"},
    "ema-momentum": lambda c: not c.names & {"SGD"},
    "lr-times-one-minus-momentum": lambda c: bool(c.names & {"SGD"}) or None,
    "other-optimizer-adam": _uses("Adam", "AdamW"),
    "other-optimizer-rmsprop": _uses("RMSprop"),
    "other-optimizer-adagrad": _uses("Adagrad"),
    "other-optimizer-lbfgs": _uses("LBFGS"),
    "plateau-scheduler": lambda c: "ReduceLROnPlateau" in c.names or (None if "if " in c.source else False),
    "other-scheduler": lambda c: bool(c.names & OTHER_SCHEDULERS),
    "lr-never-decays": lambda c: not c.names & (OTHER_SCHEDULERS | {"ReduceLROnPlateau"}),
}
BY_NAMES = frozenset(name for name in WITNESSES if name.startswith("other-")) | {
    "ema-momentum",
    "lr-never-decays",
    "lr-times-one-minus-momentum",
    "momentum-lost",
    "plateau-scheduler",
}
"""Mistakes whose witnesses ask for names alone, not for the order of lines."""

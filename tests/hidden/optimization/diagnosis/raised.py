"""Tells which known mistake raised an exception: by its type, its message, its line, its pass, and the cell's text.

Knows torch's and Python's own messages. Refuses to know numbers.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from stepgrade.records import StudentError

from .cell import Cell

MAX_NAME = 60  # characters; nobody misspells a longer one, and to compare them takes its square


@dataclass(frozen=True, slots=True)
class Rule:
    """An exception that has known causes.

    Attributes:
        types: names of exception classes, separated by bars.
        message: pattern that is searched in its message.
        causes: names of mistakes, or a function that tells them from the cell; none of them: no cause is known.
    """

    types: str
    message: str
    causes: tuple[str, ...] | Callable[[StudentError, Cell], tuple[str, ...]]


def causes(error: StudentError, cell: Cell) -> tuple[str, ...] | None:
    """Names of the mistakes that raise this exception; several where the text cannot tell them apart.

    Returns:
        None where the exception is none that is known here; no names where it is, and the text shows no known cause.
    """
    if not error.text and error.line is not None:
        error = replace(error, text=cell.line(error.line))
    for rule in RULES:
        if error.type in rule.types.split("|") and re.search(rule.message, error.message):
            if isinstance(rule.causes, tuple):
                return rule.causes
            return rule.causes(error, cell) if not cell.is_unread else ()
    return None


def _left_blank(error: StudentError, cell: Cell) -> tuple[str, ...]:
    """The given line that raises; torch raises the same where an operator has no meaning for tensors."""
    is_given = error.text.startswith("raise NotImplementedError")
    is_written = any(cell.does_before(what, error.line) for what in ("backward", "step", "update"))
    return ("left-blank",) if is_given and not is_written else ()


def _list_plus_number(error: StudentError, cell: Cell) -> tuple[str, ...]:
    """A number is gone through: as what is added to a list, or as the head of a loop."""
    added = re.match(
        r"([A-Za-z_]\w*)\s*(?:\+=|\.extend\()(?!.*(?:\bfor\b|\b(?:list|tuple|sum|sorted|zip)\())", error.text
    )
    return ("list-plus-float",) if added and cell.holds_list(added.group(1)) else ()


def _is_first_pass(error: StudentError) -> bool:
    return error.num_calls <= 1


def _rebinding(cell: Cell) -> str | None:
    """What becomes of x when the cell gives its name to a new tensor, as in `x = x - lr * x.grad`."""
    for statement in cell.rebindings():
        if not statement.is_switched_on:
            is_cut = statement.is_under_no_grad or statement.is_detached
            return "x-rebound-without-requires-grad" if is_cut else "x-rebound-not-leaf"
    return None


def _none_in_arithmetic(error: StudentError, cell: Cell) -> tuple[str, ...]:
    """An operand is None: which one, and why."""
    if ".backward(" in error.text or any(
        cell.is_assigned(name, ".backward") for name in re.findall(r"[A-Za-z_]\w*", error.text)
    ):
        return ("backward-result-used",)
    owners = set(re.findall(r"\b([A-Za-z_]\w*)(?:\.data)?\.grad\b", error.text))
    if owners and cell.x not in owners and any(cell.is_assigned(owner, cell.f) for owner in owners):
        return ("grad-of-y",)
    return _grad_is_none(error, cell, "update-before-first-backward")


def _grad_is_none(error: StudentError, cell: Cell, at_first: str) -> tuple[str, ...]:
    """x.grad is None: nothing was differentiated yet, or x is another tensor by now."""
    rebinding = _rebinding(cell)
    if not cell.does("backward"):
        return ("backward-missing",)
    if cell.clears_before_use():
        return ("grad-zeroed-before-use",)
    if rebinding and (
        not _is_first_pass(error) or (_comes_first(cell, "update", "zero") and _comes_first(cell, "backward", "update"))
    ):
        return (rebinding,)
    deed = "zero" if at_first.startswith("zero") else "update"
    return (at_first,) if _is_first_pass(error) and not _comes_first(cell, "backward", deed) else ()


def _comes_first(cell: Cell, one: str, other: str) -> bool:
    order = cell.order()
    return one in order and other in order and order.index(one) < order.index(other)


def _attribute_of_none(error: StudentError, cell: Cell) -> tuple[str, ...]:
    name = error.message.rpartition("attribute '")[2].rstrip("'")
    if name in ("zero_grad", "step", "param_groups", "state_dict"):
        owner = (re.findall(rf"\b([A-Za-z_]\w*)\.{name}\b", error.text) or [""])[0]
        if cell.is_assigned(owner, ".step") or cell.is_assigned(owner, ".zero_grad"):
            return ()  # the object is lost after its first use
        return ("left-blank",) if cell.is_assigned_none(owner) else ("optimizer-undefined",)
    if ".grad" in error.text:
        if name in ("zero_", "zero", "fill_") or ".zero_" in error.text:
            return _grad_is_none(error, cell, "zero-before-first-backward")
        return _none_in_arithmetic(error, cell)
    if name in ("item", "detach", "data", "backward", "tolist") and "step(" in cell.source:
        return ("closure-without-return",)
    if ".backward()" in error.text and name != "backward":
        return ("backward-result-used",)
    return ()


def _no_graph(error: StudentError, cell: Cell) -> tuple[str, ...]:
    """backward() found no graph: f was evaluated unwatched, or x asks for no gradient."""
    switched_off = "set_grad_enabled" in cell.names
    if not _is_first_pass(error):
        if switched_off:
            return ("grad-mode-left-off",)
        return ("x-rebound-without-requires-grad",)
    if switched_off and "requires_grad" in cell.source:
        return ("grad-mode-left-off",)
    if cell.is_forward_detached():
        return ("forward-detached",)
    if cell.is_forward_under_no_grad():
        return ("forward-under-no-grad",)
    if not cell.asks_for_grad():
        return ("no-requires-grad",)
    return ("no-requires-grad", "forward-under-no-grad", "forward-detached")


def _second_backward(error: StudentError, cell: Cell) -> tuple[str, ...]:
    if not cell.does("forward", in_loop=True) and cell.does("forward"):
        return ("y-computed-once",)
    if _is_first_pass(error):
        return ("backward-twice",) if cell.count("backward", in_loop=True) > 1 else ("y-computed-once",)
    return ("loss-accumulated",)


def _changed_in_place(error: StudentError, cell: Cell) -> tuple[str, ...]:
    order = cell.order()
    if "forward" not in order and cell.does("forward"):
        return ("y-computed-once",)
    if "forward" in order and "backward" in order:
        between = order[order.index("forward") : order.index("backward")]
        if "step" in between:
            return ("step-between-forward-and-backward",)
        if "update" in between:
            return ("idle-first-pass", "step-between-forward-and-backward")
    return ("loss-accumulated",) if cell.keeps_graph() else ()


def _no_backward(error: StudentError, cell: Cell) -> tuple[str, ...]:
    """backward() of something that is no tensor."""
    kind = error.message.split("'")[1] if "'" in error.message else ""
    if cell.loop_overwrites(cell.x):
        return ("loop-variable-overwrites-x",)
    if kind == "float" and re.search(r"\.item\(\)|float\(|\.tolist\(\)|\.numpy\(\)", cell.source):
        return ("item-too-early",)
    return ("backward-on-wrong-object",)


def _no_size(error: StudentError, cell: Cell) -> tuple[str, ...]:
    if re.search(r"\bTensor\(\s*(int\()?[A-Za-z_]", cell.source):
        return ("tensor-constructor-size",)
    return ("backward-on-vector",) if "scalar outputs" in error.message else ()


def _not_callable(error: StudentError, cell: Cell) -> tuple[str, ...]:
    return ("f-overwritten",) if cell.assigns(cell.f) else ()


def _undefined(error: StudentError, cell: Cell) -> tuple[str, ...]:
    name = (re.findall(r"'(\w+)'", error.message) or [""])[0]
    others = {other for other in cell.names | set(cell.parameters) if other != name and len(other) < MAX_NAME}
    if len(name) < MAX_NAME and difflib.get_close_matches(name, others, cutoff=0.85):
        return ("misspelt-method",)
    return ("optimizer-undefined",) if re.search(r"(?i)^opt", name) and name != "optim" else ()


def _no_attribute(error: StudentError, cell: Cell) -> tuple[str, ...]:
    kind, name = [*re.findall(r"'([\w.]+)'", error.message), "", ""][:2]
    if kind in ("int", "float") and cell.loop_overwrites(cell.x):
        return ("loop-variable-overwrites-x",)
    if name in ("lr", "learning_rate", "rate", "get_lr", "get_last_lr") and "module" not in error.message:
        return ("lr-attribute-read",)
    if kind in ("Tensor", "Parameter") or kind[:1].isupper() or error.message.startswith(("module", "type object")):
        return ("misspelt-method",)
    return ()


def _loop_variable(error: StudentError, cell: Cell) -> tuple[str, ...]:
    return ("loop-variable-overwrites-x",) if cell.loop_overwrites(cell.x) else ()


ARITHMETIC = r"unsupported operand type.*'NoneType'|'NoneType' and|must be (Tensor|Number).*not NoneType|NoneType"
RULES = (
    Rule("NotImplementedError", "", _left_blank),
    Rule("AttributeError", r"^'NoneType' object has no attribute", _attribute_of_none),
    Rule("TypeError", r"^float\(\) argument must be .* not 'NoneType'", ("closure-without-return",)),
    Rule("TypeError", r"NoneType' object is not (callable|iterable|subscriptable)", ()),
    Rule("TypeError", r"missing 1 required positional argument: 'closure'", ("lbfgs-without-closure",)),
    Rule("TypeError", r"missing 1 required positional argument: 'gamma'", ("gamma-missing",)),
    Rule("TypeError", r"missing 1 required positional argument: 'metrics'", ("plateau-scheduler",)),
    Rule("TypeError", r"missing 1 required positional argument: 'self'", ("optimizer-undefined",)),
    Rule("TypeError", r"is not an Optimizer", ("scheduler-on-wrong-object",)),
    Rule("TypeError", r"params argument given to the optimizer", ("params-not-a-list",)),
    Rule("TypeError", r"append\(\) takes exactly one argument", ("append-two-arguments",)),
    Rule("TypeError", r"can only concatenate list", ("list-plus-float",)),
    Rule("TypeError", r"'(float|int)' object is not iterable", _list_plus_number),
    Rule("TypeError|RuntimeError", r"assigned grad|grad expected to be a Tensor", ("grad-assigned-wrong-type",)),
    Rule("TypeError", r"list indices must be integers or slices, not str", ("param-groups-not-indexed",)),
    Rule("TypeError", r"'(Tensor|float|Parameter)' object is not callable", _not_callable),
    Rule("TypeError", r"must be Tensor, not (int|float)", _loop_variable),
    Rule(
        "TypeError", r"new\(\): (data must be a sequence|invalid data type)|received an invalid combination", _no_size
    ),
    Rule("TypeError|RuntimeError", ARITHMETIC, _none_in_arithmetic),
    Rule("ValueError", r"can't optimize a non-leaf Tensor", ("optimizer-on-non-leaf",)),
    Rule("ValueError", r"Nesterov momentum requires", ("nesterov",)),
    Rule("ValueError", r"Invalid learning rate: -", ("wrong-sign",)),
    Rule("RuntimeError", r"element 0 of tensors does not require grad", _no_graph),
    Rule("RuntimeError", r"leaf Variable that requires grad.* in-place", ("inplace-on-leaf",)),
    Rule("RuntimeError", r"backward through the graph a second time", _second_backward),
    Rule("RuntimeError", r"modified by an inplace operation", _changed_in_place),
    Rule("RuntimeError", r"only for scalar outputs", _no_size),
    Rule("RuntimeError|ValueError", r"elements? cannot be converted to Scalar|only one element tensors", _no_size),
    Rule("RuntimeError", r"negative dimension", _no_size),
    Rule(
        "RuntimeError",
        r"[Oo]nly Tensors of floating point|can't be cast to the desired output type (Long|Int)",
        ("integer-tensor",),
    ),
    Rule("RuntimeError", r"[Ii]nference (tensor|mode)|InferenceMode", ("inference-tensor",)),
    Rule("AttributeError", r"has no attribute 'backward'", _no_backward),
    Rule("NameError|UnboundLocalError", "", _undefined),
    Rule("ModuleNotFoundError|ImportError", "", ("misspelt-method",)),
    Rule("AttributeError", r"has no attribute", _no_attribute),
)

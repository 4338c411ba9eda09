"""Answers calls inside the student's process: plain JSON in, plain JSON out.

Knows how to call a function with a spying objective and how to describe in JSON what came back. Refuses to know what
is right. Imports nothing of ours: the ordinary kernel is given this file's text, the warm one imports it before it
forks, and the grading process uses it to replay its own programs in the very same way.
"""

from __future__ import annotations

import array
import collections
import contextlib
import copy
import functools
import inspect
import itertools
import random
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

MAX_NUMBERS = 20_000  # what one answer may carry: far above any exercise, far below a flood
MAX_TEXT = 200  # characters of a returned string
CHARACTERS = 10  # of text that count as much as a number


_remembered: dict[str, Any] = {}
"""Functions by name, as they stood when they were first asked."""


class TooMany(Exception):
    """More numbers than an answer may carry."""


class TooManyCalls(BaseException):
    """The objective was called far more often than the task needs: the loop has no end.

    No exception of Python's own kind, so that a student's `except Exception` does not stop it.
    """


def answer(namespace: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """Call a function of `namespace` and describe what came of it.

    Args:
        namespace: the names that the student's cells defined.
        request: `{"function": name, "arguments": {name: value, …}}`, in the order of the contract; an argument
            `{"objective": text, "variables": "x y"}` becomes a function of these variables. `"objective"` names the
            argument whose calls show the walk (None: all of them); `"most_calls"` of the objectives are allowed (None:
            any number); `"identity"` says which function is meant (see `records.Call`).

    Returns:
        `{"status": "returned" | "raised" | "missing" | "replaced" | "endless", "returned": …, "visited": [point, …],
        "error": {…} | None}`; a point is the list of the numbers that the objective was called with.
    """
    name, identity = request["function"], request.get("identity")
    function = namespace.get(name)
    if not callable(function):
        return {"status": "missing", "returned": None, "visited": [], "error": None}
    if identity == "same" and function is not _remembered.get(name):
        return {"status": "replaced", "returned": None, "visited": [], "error": None}
    if identity == "keep":
        _remembered[name] = function
    spy, walked = Spy(request.get("most_calls")), request.get("objective")
    arguments = {n: _argument(v, spy, walked in (None, n)) for n, v in request["arguments"].items()}
    result, status, error = None, "returned", None
    with undisturbed(), _afresh():
        try:
            result = describe(_drained(_call(function, arguments)))
        except TooManyCalls:
            pass
        except (Exception, SystemExit) as problem:
            status, error = "raised", _error(problem, len(spy.seen))
    if spy.is_endless:  # whatever the function made of that
        return {"status": "endless", "returned": None, "visited": [], "error": None}
    visited = [_point(values) for values in spy.seen]
    return {"status": status, "returned": result, "visited": visited, "error": error}


def _call(function: Any, arguments: dict[str, Any]) -> Any:
    """By keyword where the function has the contract's names, in whatever order; else by position."""
    return function(**arguments) if _takes_all(function, arguments) else function(*arguments.values())


_signature_of = functools.lru_cache(maxsize=16)(inspect.signature)


def _takes_all(function: Any, names: Iterable[str]) -> bool:
    """Whether it has these names; one that takes whatever comes by position may hand it on to other names."""
    try:
        read = _signature_of if isinstance(function, Hashable) else inspect.signature
        parameters = read(function).parameters.values()
    except (TypeError, ValueError):
        return False
    by_name = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    kinds = {p.kind for p in parameters}
    return by_name.issuperset(names) or kinds == {inspect.Parameter.VAR_KEYWORD}


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """For the cells that follow, all is as if nothing had been asked. What is asked within is kept apart once."""
    global _is_undisturbed
    if _is_undisturbed:
        yield
        return
    import torch

    torch_state, had_gradients = torch.default_generator.get_state(), torch.is_grad_enabled()
    state, numpy_random = random.getstate(), getattr(sys.modules.get("numpy"), "random", None)
    numpy_state = numpy_random.get_state() if numpy_random is not None else None
    _is_undisturbed = True
    try:
        yield
    finally:
        _is_undisturbed = False
        torch.set_grad_enabled(had_gradients)
        torch.default_generator.set_state(torch_state)
        random.setstate(state)
        if numpy_random is not None:
            numpy_random.set_state(numpy_state)


_is_undisturbed = False


@contextlib.contextmanager
def _afresh() -> Iterator[None]:
    """The same random numbers for each question."""
    import torch

    torch.set_grad_enabled(True)
    torch.default_generator.manual_seed(0)  # `torch.manual_seed` looks at every device, which takes longer than a run
    random.seed(0)
    with warnings.catch_warnings():  # one that is shown once is shown to the student
        yield


def _argument(value: Any, spy: Spy, is_walk: bool) -> Any:
    if isinstance(value, dict) and "objective" in value:
        return spy.on(make_objective(value["objective"], value.get("variables", "x")), is_walk)
    return value


@functools.cache
def make_objective(text: str, variables: str = "x") -> Callable[..., Any]:
    """The function of its variables that an expression such as `x ** 2 + torch.sin(y)` stands for."""
    import torch

    known: dict[str, Any] = {"torch": torch, "abs": abs}
    exec(f"def f({', '.join(variables.split())}):\n    return {text}", known)  # trusted, from the grading process
    made: Callable[..., Any] = known["f"]
    made.__code__ = made.__code__.replace(co_filename="<objective>")
    return made


class Spy:
    """Sees every call of the objectives, and ends it when there are too many."""

    def __init__(self, most_calls: int | None) -> None:
        self.seen: list[tuple[Any, ...]] = []  # of every call; read only later, so that torch.func can trace it
        self.is_endless = False
        self._room = MAX_NUMBERS
        self._calls_left = most_calls if most_calls is not None else float("inf")

    def on(self, function: Callable[..., Any], is_walk: bool = True) -> Callable[..., Any]:
        """The same function, watched; `is_walk`: what it is called with is kept, too."""

        def watched(*values: Any, **named: Any) -> Any:
            self._calls_left -= 1
            if self._calls_left < 0:
                self.is_endless = True
                raise TooManyCalls
            if is_walk:
                self._keep((*values, *named.values()) if named else values)
            return function(*values, **named)

        return watched

    def _keep(self, values: tuple[Any, ...]) -> None:
        point = []
        for value in values:
            is_tensor = hasattr(value, "detach")
            self._room -= (value.numel() if is_tensor else len(value) if isinstance(value, (list, tuple)) else 1) or 1
            if self._room < 0:
                return
            point.append(value.detach().clone() if is_tensor else copy.copy(value))
        self.seen.append(tuple(point))


def _point(values: tuple[Any, ...]) -> list[float]:
    """All numbers in a row; a nan for what is none."""
    return [number for value in values for number in _numbers(value, depth=0)]


def _numbers(value: Any, depth: int) -> list[float]:
    try:
        nested = value.tolist() if hasattr(value, "tolist") else value
    except Exception:  # a traced tensor has no numbers
        return [float("nan")]
    if isinstance(nested, (list, tuple)) and depth < 4:
        return [number for item in nested for number in _numbers(item, depth + 1)]
    return [_one_number(nested)]


def _drained(value: Any) -> Any:
    """A generator is run to its end, so that its walk is seen; it stays a generator, not a list."""
    if isinstance(value, types.GeneratorType):
        collections.deque(itertools.islice(value, MAX_NUMBERS), maxlen=0)
    return value


def describe(value: Any) -> Any:
    """A returned object in plain JSON.

    Numbers stay numbers and sequences arrays; a tensor or array is `{"array": nested, "shape": [...]}`; anything else
    is an object with one telling key: `{"str": text}`, `{"dict": size}`, `{"object": type name}`, or `{"cut": size}`
    where there were more than `MAX_NUMBERS`.
    """
    budget = [MAX_NUMBERS]
    try:
        return _describe(value, budget, depth=0)
    except TooMany:
        return {"cut": len(value) if hasattr(value, "__len__") else MAX_NUMBERS}


def _describe(value: Any, budget: list[int], depth: int) -> Any:
    budget[0] -= 1
    if budget[0] < 0:
        raise TooMany
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return _one_number(value)
    if isinstance(value, str):
        return {"str": _text(value, budget)}
    if hasattr(value, "detach") or hasattr(value, "__array__"):
        return _describe_array(value, budget)
    if isinstance(value, (list, tuple, collections.deque, array.array)) and depth < 4:
        return [_describe(item, budget, depth + 1) for item in value]
    if isinstance(value, dict):
        return {"dict": len(value)}
    return {"object": _text(type(value).__name__, budget)}


def _text(text: str, budget: list[int]) -> str:
    budget[0] -= len(text[:MAX_TEXT]) // CHARACTERS
    return text[:MAX_TEXT]


def _describe_array(value: Any, budget: list[int]) -> Any:
    value = value.detach() if hasattr(value, "detach") else value
    size = 1
    for length in value.shape:
        size *= int(length)
    budget[0] -= size
    if budget[0] < 0:
        raise TooMany
    return {"array": _nested(value.tolist()), "shape": [int(length) for length in value.shape]}


def _nested(value: Any) -> Any:
    return [_nested(item) for item in value] if isinstance(value, list) else _one_number(value)


def _one_number(value: Any) -> float:
    """A float, nan where it is none (a complex number, a tensor of several elements, a traced tensor)."""
    try:
        return float(value)
    except Exception:
        return float("nan")


def _error(problem: BaseException, num_calls: int) -> dict[str, Any]:
    place = _last_place_of_the_student(problem)
    return {
        "type": type(problem).__name__,
        "message": str(problem)[:2000],
        "line": place.lineno if place else None,
        "text": (place.line or "").strip() if place else "",
        "num_calls": num_calls,
    }


def _last_place_of_the_student(problem: BaseException) -> Any:
    """The innermost frame that is no file of an installed library: the student's own line."""
    frames = traceback.extract_tb(problem.__traceback__)[1:]
    own = [frame for frame in frames if not frame.filename.startswith((sys.prefix, sys.base_prefix, "<objective>"))]
    own = [frame for frame in own if "/torch/" not in frame.filename and frame.name != "answer"]
    cells = [frame for frame in own if "ipykernel" in frame.filename or frame.filename.startswith("<")]
    return (cells or own)[-1] if own else None

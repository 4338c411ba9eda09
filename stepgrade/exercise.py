"""What a folder of hidden checks declares: the exercise, its inputs and torch's own run.

Knows objectives, inputs and how a trusted program (the reference, a mistake, an accepted answer) is run in exactly the
way a student's function is. Refuses to know students, points and notebooks.
"""

from __future__ import annotations

import functools
import inspect
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from stepgrade import compare
from stepgrade.compare import ATOL, RTOL
from stepgrade.errors import ChecksError
from stepgrade.kernels import calls
from stepgrade.reach import assert_does_not_reach
from stepgrade.records import Bound, Call, Run

__all__ = ["Exercise", "Inputs", "Objective", "assert_does_not_reach", "load_program", "make_call", "run_program"]

TIMES_THE_CALLS, FEWEST_CALLS = 200, 10_000  # of f: a function may call it so much more often than the reference
TIMES_THE_SECONDS = 20  # of processor time: a function may take so much longer than the reference

Inputs = Mapping[str, Any]
"""Inputs of one run by the contract's names, in any order: numbers, texts, booleans, None, (nested) lists of numbers,
and objectives."""


@dataclass(frozen=True, slots=True)
class Objective:
    """An objective as an expression in its variables: it travels to the student's process as text.

    Args:
        text: the expression; `x[0]` in it makes x a vector.
        variables: their names, in the order of the arguments, with blanks between them.

    Example:
        >>> Objective("x ** 2")(3.0)
        9.0
        >>> Objective("x ** 2 - y ** 2", "x y")(3.0, 1.0)
        8.0
    """

    text: str
    variables: str = "x"

    def __call__(self, *values: Any) -> Any:
        """Its value, by tensors where it is called with tensors."""
        return _compiled(self.text, self.variables)(*values)

    def __str__(self) -> str:
        return self.text

    @property
    def names(self) -> tuple[str, ...]:
        """Of its variables."""
        return tuple(self.variables.split())

    def to_json(self) -> dict[str, str]:
        """As it travels."""
        return {"objective": self.text, "variables": self.variables}


@functools.cache
def _compiled(text: str, variables: str) -> Callable[..., Any]:
    return calls.make_objective(text, variables)


@dataclass(frozen=True)
class Exercise:
    """One graded exercise, as its hidden checks declare it.

    Attributes:
        name: folder of the checks and `grade_id` of the solution cell, such as "gradient-descent".
        function: name of the student's function.
        columns: what one pass records, by name, such as ("f(x_t)",) or ("f(x_t)", "rate").
        reference: torch's own run, with the student's signature.
        lesson: the inputs of the lesson's own table; feedback may show them.
        hidden: inputs that students do not see.
        objective: the argument whose calls show the walk; None: there is none, the record alone is judged.
        passes: the argument that says how many entries come back; None: as many as the reference gives.
        rtol, atol: tolerance, both used: see `compare.is_close`.
        baskets: sets of mistakes that no input can tell apart.
    """

    name: str
    function: str
    columns: tuple[str, ...]
    reference: Callable[..., Any]
    lesson: Inputs
    hidden: tuple[Inputs, ...]
    objective: str | None = None
    passes: str | None = None
    rtol: float = RTOL
    atol: float = ATOL
    baskets: tuple[frozenset[str], ...] = ()
    _expected: dict[str, Run] = field(default_factory=dict, repr=False, compare=False)
    _bounds: dict[str, Bound] = field(default_factory=dict, repr=False, compare=False)
    _calls: dict[int, Call] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """What is declared stays as it is: the questions that are made of it are kept."""
        object.__setattr__(self, "lesson", MappingProxyType(dict(self.lesson)))
        object.__setattr__(self, "hidden", tuple(MappingProxyType(dict(inputs)) for inputs in self.hidden))

    @property
    def grade_id(self) -> str:
        """Of the grade cell that belongs to the exercise."""
        return f"{self.name}-check"

    @property
    def inputs(self) -> tuple[Inputs, ...]:
        """All inputs, the lesson's first."""
        return (self.lesson, *self.hidden)

    def call(self, inputs: Inputs) -> Call:
        """The question that is put to the student's process for these inputs.

        Arguments go by name; by position, in the order of the reference's signature, to who named them otherwise.

        Raises:
            ChecksError: an argument is unknown or missing.
        """
        kept = self._calls.get(id(inputs))
        if kept is None:
            kept = make_call(self.function, self._in_order(inputs), self.objective)
            if any(inputs is declared for declared in self.inputs):  # it lives as long as the exercise: so does its id
                self._calls[id(inputs)] = kept
        return kept

    def _in_order(self, inputs: Inputs) -> Inputs:
        unknown = [name for name in inputs if name not in self._defaults]
        if unknown:
            raise ChecksError(
                f"{self.name}: {self._place_of(inputs)} gives `{unknown[0]}`, which the reference does not take: its "
                f"arguments are {', '.join(self._defaults)}. Rename the input, or take it out."
            )
        given = {**self._defaults, **inputs}
        missing = [name for name, value in given.items() if value is inspect.Parameter.empty]
        if missing:
            raise ChecksError(
                f"{self.name}: {self._place_of(inputs)} lacks `{missing[0]}`, which the reference takes. Give it there."
            )
        return given

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the function's arguments, in order."""
        return tuple(self._defaults)

    @functools.cached_property
    def _defaults(self) -> dict[str, Any]:
        """The arguments of the reference in the order of its signature; `Parameter.empty` where there is no default."""
        parameters = inspect.signature(self.reference).parameters.values()
        if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
            raise ChecksError(f"{self.name}: the reference takes any arguments. Name those that the student's takes.")
        return {parameter.name: parameter.default for parameter in parameters}

    def _place_of(self, inputs: Inputs) -> str:
        """Which of the declared inputs these are, in the words of the declaration."""
        places = ["lesson", *(f"hidden[{number}]" for number in range(len(self.hidden)))]
        known = zip(places, self.inputs, strict=True)
        return next((f"`{place}`" for place, declared in known if declared == inputs), "a check")

    def insist(self) -> None:
        """Make sure that torch's own run can be a measure on all declared inputs.

        Raises:
            ChecksError: it cannot, or the inputs are not those of its signature; the message says where and what to do.
        """
        if not self.hidden:
            raise ChecksError(f"{self.name}: there are no `hidden` inputs, and the lesson's are known. Give some.")
        for inputs in self.inputs:
            place = f"{self.name}: {self._place_of(inputs)}"
            for name, value in inputs.items():
                if not _can_travel(value):
                    raise ChecksError(
                        f"{place} gives `{name}` a {type(value).__name__}. Inputs are numbers, texts, booleans, None, "
                        "lists of numbers and objectives: write it as one of them, and let the reference convert it."
                    )
            self._insist_on_roles(inputs, place)
            self._insist_on_measure(inputs, place)

    def _insist_on_roles(self, inputs: Inputs, place: str) -> None:
        given = self._in_order(inputs)
        objectives = [name for name, value in given.items() if isinstance(value, Objective)]
        if self.objective is None and objectives:
            fix = f'Declare `objective="{objectives[0]}"`: then its calls show the walk.'
            raise ChecksError(f"{place} has the objective `{objectives[0]}`, and `objective` names none. {fix}")
        if self.objective is not None and self.objective not in objectives:
            fix = "Give it there, or declare `objective=None`: then the record alone is judged."
            raise ChecksError(f"{place} has no `Objective` for `{self.objective}`, which `objective` names. {fix}")
        if self.passes is not None and not _is_count(given.get(self.passes)):
            fix = "Name the argument that says how many entries come back, or declare `passes=None`."
            raise ChecksError(f"{place} gives no whole number for `{self.passes}`, which `passes` names. {fix}")

    def _insist_on_measure(self, inputs: Inputs, place: str) -> None:
        expected = self.expected(inputs)
        try:
            compare.measure(expected, len(self.columns), self.num_passes(inputs), self.objective is not None)
        except ChecksError as problem:
            raise ChecksError(f"{self.name}: on {self._place_of(inputs)} {problem}") from problem
        again = run_program({self.function: self.reference}, self.call(inputs))
        if (again.returned, again.visited) != (expected.returned, expected.visited):
            fix = "Let nothing in it outlive the call, and seed what it draws."
            raise ChecksError(f"{place} gives other numbers when the reference is run twice. {fix}")

    def num_passes(self, inputs: Inputs) -> int | None:
        """How many entries are asked for; None where no argument says so."""
        return int(self._in_order(inputs)[self.passes]) if self.passes is not None else None

    def question(self, inputs: Inputs) -> Call:
        """The same, bounded: a student's function may be far more work than torch's own run, but not without end."""
        call = self.call(inputs)
        if call.key not in self._bounds:
            self._bounds[call.key] = self._bound(inputs)
        return replace(call, bound=self._bounds[call.key])

    def _bound(self, inputs: Inputs) -> Bound:
        expected = self.expected(inputs)
        if expected.status != "returned":
            return Bound(most_calls=FEWEST_CALLS)
        began = time.thread_time()
        run_program({self.function: self.reference}, self.call(inputs))  # anew: the first run loads libraries
        return Bound(
            most_calls=max(FEWEST_CALLS, TIMES_THE_CALLS * len(expected.visited)),
            num_passes=len(expected.returned) if isinstance(expected.returned, list) else None,
            cpu_seconds=TIMES_THE_SECONDS * (time.thread_time() - began),
        )

    def expected(self, inputs: Inputs) -> Run:
        """Torch's own run on these inputs; run once and kept. What it gave was not looked at: see `insist`."""
        call = self.call(inputs)
        if call.key not in self._expected:
            self._expected[call.key] = run_program({self.function: self.reference}, call)
        return self._expected[call.key]

    def assert_follows(self, run: Run, inputs: Inputs) -> None:
        """Assert that torch's own path was walked: see `compare.assert_follows`.

        Without an objective there is no walk, and the record is judged.
        """
        if self.objective is None:
            self.assert_records(run, inputs)
            return
        compare.assert_follows(run, self.expected(inputs), len(self.columns), self.rtol, self.atol)

    def follows_or_skip(self, run: Run, inputs: Inputs) -> None:
        """Leave a check unanswered where another path is walked: what it asks can be told of torch's own path alone.

        Like `pytest.importorskip`: the check reads "not judged", and its points are not earned.
        """
        import pytest  # only a check calls this, and then pytest is there

        try:
            self.assert_follows(run, inputs)
        except compare.Differs:
            pytest.skip("it can be answered once your run follows torch's own")

    def assert_records(self, run: Run, inputs: Inputs) -> None:
        """Assert that what came back is torch's own trajectory: see `compare.assert_records`."""
        has_walk = self.objective is not None
        compare.assert_records(run, self.expected(inputs), len(self.columns), self.rtol, self.atol, has_walk)

    def is_right(self, run: Run, inputs: Inputs) -> bool:
        """Whether what came back is torch's own trajectory."""
        try:
            self.assert_records(run, inputs)
        except Exception:  # whatever is wrong with it
            return False
        return True


def _can_travel(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(item, list | tuple | bool | int | float) and _can_travel(item) for item in value)
    return value is None or isinstance(value, Objective | str | bool | int | float)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def make_call(function: str, inputs: Inputs, objective: str | None = None) -> Call:
    """A call by the contract's names, in this order; objectives become text.

    Args:
        objective: the one whose calls show the walk; None: those of all.
    """
    arguments = tuple((name, v.to_json() if isinstance(v, Objective) else v) for name, v in inputs.items())
    return Call(function, arguments, objective=objective)


def run_program(namespace: dict[str, Any], call: Call) -> Run:
    """Run a trusted program in this process, through the very code that runs a student's.

    Args:
        namespace: the program's names; the function among them.
        call: what to call.
    """
    request = json.loads(json.dumps(call.to_request()))  # as it arrives elsewhere: lists of its own, no tuples
    return Run.from_json(calls.answer(namespace, request))


def load_program(source: str, name: str = "<program>") -> dict[str, Any]:
    """The names that a trusted program defines when it is run as a cell of the lesson is.

    Args:
        source: text of a file under `tests/hidden`, never a student's.
    """
    import numpy
    import torch

    namespace: dict[str, Any] = {"torch": torch, "np": numpy, "optim": torch.optim, "__name__": "__main__"}
    exec(compile(source, name, "exec"), namespace)
    return namespace

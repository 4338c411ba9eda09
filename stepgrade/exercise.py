"""What a folder of hidden checks declares: the exercise, its inputs and torch's own run.

Knows objectives, inputs and how a trusted program (the reference, a mistake, an accepted answer) is run in exactly the
way a student's function is. Refuses to know students, points and notebooks.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stepgrade import compare
from stepgrade.compare import ATOL, RTOL
from stepgrade.errors import ChecksError
from stepgrade.kernels import calls
from stepgrade.records import Bound, Call, Run

TIMES_THE_CALLS, FEWEST_CALLS = 200, 10_000  # of f: a function may call it so much more often than the reference
TIMES_THE_SECONDS = 20  # of processor time: a function may take so much longer than the reference

Inputs = Mapping[str, Any]
"""Inputs of one run by the contract's names, in any order; `f` is an `Objective`."""


@dataclass(frozen=True, slots=True)
class Objective:
    """An objective f as an expression in x: it travels to the student's process as text.

    Example:
        >>> f = Objective("x ** 2")
        >>> f(3.0)
        9.0
    """

    text: str

    def __call__(self, x: Any) -> Any:
        """f(x), elementwise; a tensor of shape (1,) or () keeps its shape."""
        return _compiled(self.text)(x)

    def __str__(self) -> str:
        return self.text


@functools.cache
def _compiled(text: str) -> Callable[[Any], Any]:
    return calls.make_objective(text)


@functools.lru_cache(maxsize=4096)
def values_and_slopes(objective: str, points: tuple[float, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """f and its slope at many points at once, by torch in float64; shapes (num_points,)."""
    import torch

    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    y = Objective(objective)(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    return tuple(y.tolist()), tuple(slope.tolist())


@dataclass(frozen=True)
class Exercise:
    """One graded exercise, as its hidden checks declare it.

    Attributes:
        name: folder of the checks and `grade_id` of the solution cell, such as "gradient-descent".
        function: name of the student's function.
        columns: what one pass records, such as ("f(x_t)",) or ("f(x_t)", "lr").
        reference: torch's own run, with the student's signature.
        lesson: the inputs of the lesson's own table; feedback may show them.
        hidden: inputs that students do not see.
        baskets: sets of mistakes that no input can tell apart.
    """

    name: str
    function: str
    columns: tuple[str, ...]
    reference: Callable[..., Any]
    lesson: Inputs
    hidden: tuple[Inputs, ...]
    rtol: float = RTOL
    atol: float = ATOL
    baskets: tuple[frozenset[str], ...] = ()
    _expected: dict[str, Run] = field(default_factory=dict, repr=False, compare=False)
    _bounds: dict[str, Bound] = field(default_factory=dict, repr=False, compare=False)

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

        Arguments go by position, in the order of the reference's signature: a student may name them otherwise.

        Raises:
            ChecksError: an argument is unknown or missing.
        """
        return make_call(self.function, self._in_order(inputs))

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
        for inputs in self.inputs:
            expected = self.expected(inputs)
            try:
                compare.measure(expected, len(self.columns))
            except ChecksError as problem:
                raise ChecksError(f"{self.name}: on {self._place_of(inputs)} {problem}") from problem

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
        """Assert that x walked torch's own path on these inputs: see `compare.assert_follows`."""
        compare.assert_follows(run, self.expected(inputs), len(self.columns), self.rtol, self.atol)

    def follows_or_skip(self, run: Run, inputs: Inputs) -> None:
        """Leave a check unanswered where x walks another path: what it asks can be told of torch's own path alone.

        Like `pytest.importorskip`: the check reads "not judged", and its points are not earned.
        """
        import pytest  # only a check calls this, and then pytest is there

        try:
            self.assert_follows(run, inputs)
        except compare.Differs:
            pytest.skip("it can be answered once x walks torch's own path")

    def assert_records(self, run: Run, inputs: Inputs) -> None:
        """Assert that what came back is torch's own trajectory: see `compare.assert_records`."""
        compare.assert_records(run, self.expected(inputs), len(self.columns), self.rtol, self.atol)

    def is_right(self, run: Run, inputs: Inputs) -> bool:
        """Whether what came back is torch's own trajectory."""
        try:
            self.assert_records(run, inputs)
        except Exception:  # whatever is wrong with it
            return False
        return True


def make_call(function: str, inputs: Inputs) -> Call:
    """A call by the contract's names, in this order; objectives become text."""
    return Call(
        function,
        tuple((name, {"objective": v.text} if isinstance(v, Objective) else v) for name, v in inputs.items()),
    )


def run_program(namespace: dict[str, Any], call: Call) -> Run:
    """Run a trusted program in this process, through the very code that runs a student's.

    Args:
        namespace: the program's names; the function among them.
        call: what to call.
    """
    return Run.from_json(calls.answer(namespace, call.to_request()))


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

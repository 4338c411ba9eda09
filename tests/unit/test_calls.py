"""What the student's process answers, and how little it can say."""

import array
import collections
import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from walks import points

from stepgrade import records
from stepgrade.exercise import Objective, make_call, run_program
from stepgrade.kernels import calls
from stepgrade.kernels.calls import MAX_NUMBERS, answer, describe
from stepgrade.records import MAX_ENTRIES, Run

SQUARE = {"f": Objective("x ** 2"), "x0": 8, "lr": 0.1, "iterations": 3}
CALL = make_call("walk", SQUARE)


def run(function) -> Run:
    return run_program({"walk": function}, CALL)


def test_what_is_believed_is_what_an_honest_answer_carries_at_most() -> None:
    assert (MAX_ENTRIES, records.CHARACTERS) == (MAX_NUMBERS, calls.CHARACTERS)
    half = MAX_NUMBERS // 2 - 1
    for value in ([1.0] * half, ["64.0"] * half, [torch.tensor([1.0])] * half, [object()] * half):
        assert Run.from_json({"status": "returned", "returned": describe(value)}).returned == describe(value)
        assert len(describe(value)) == half


@pytest.mark.parametrize(
    "flood",
    [
        {"str": "x" * 1_000_000},
        [{"object": "x" * 1000}] * 1000,
        {"x" * 1_000_000: 1},
        [[]] * 100_000,
    ],
    ids=["text", "names", "key", "lists"],
)
def test_what_no_honest_answer_carries_is_not_kept(flood) -> None:
    assert Run.from_json({"status": "returned", "returned": flood}).returned == {"cut": MAX_ENTRIES}


def test_much_text_is_cut() -> None:
    assert describe(["x" * 1000] * 2000) == {"cut": 2000}


def test_every_visited_x_is_kept_in_order() -> None:
    def walk(f, x0, lr, iterations):
        return [f(torch.tensor([float(x0 - i)])).item() for i in range(iterations)]

    assert run(walk).visited == points(8.0, 7.0, 6.0)


def test_arguments_go_by_name_where_the_names_are_the_contracts() -> None:
    assert run(lambda iterations, lr, x0, f: [x0, lr, iterations]).returned == [8.0, 0.1, 3.0]
    assert run(lambda **given: [given["x0"], given["lr"], given["iterations"]]).returned == [8.0, 0.1, 3.0]


def test_an_object_without_a_hash_is_called_by_name_too() -> None:
    @dataclasses.dataclass
    class Walk:
        def __call__(self, iterations, lr, x0, f):
            return [x0, lr, iterations]

    assert run(Walk()).returned == [8.0, 0.1, 3.0]


def test_who_hands_all_on_may_hand_it_to_other_names() -> None:
    def walk(g, start, rate, passes):
        return [start, rate, passes]

    assert run(lambda *given, **named: walk(*given, **named)).returned == [8.0, 0.1, 3.0]


def test_points_of_several_numbers_are_kept_in_a_row() -> None:
    def walk(f, start):
        a, b = torch.tensor(start[0]), torch.tensor([[start[1], 3.0]])
        return [f(a, b).sum().item(), f(a, b=b).sum().item()]

    call = make_call("walk", {"f": Objective("a + b", "a b"), "start": [1.0, 2.0]})
    assert run_program({"walk": walk}, call).visited == ((1.0, 2.0, 3.0),) * 2


def test_only_the_calls_of_one_objective_are_the_walk() -> None:
    inputs = {"f": Objective("x ** 2"), "g": Objective("x + 1")}
    walk = {"walk": lambda f, g: [f(g(1.0))]}
    assert run_program(walk, make_call("walk", inputs, "f")).visited == points(2.0)
    assert run_program(walk, make_call("walk", inputs)).visited == points(1.0, 2.0)


def test_arguments_go_by_position_so_that_parameters_may_be_renamed() -> None:
    assert run(lambda g, start, rate, n: [start, rate, n]).returned == [8.0, 0.1, 3.0]


def test_an_objective_survives_torch_func() -> None:
    def walk(f, x0, lr, iterations):
        return [torch.func.grad(lambda t: f(t).sum())(torch.tensor([float(x0)]))]

    assert run(walk).returned == [{"array": [16.0], "shape": [1]}]


def test_an_exception_carries_type_line_and_pass() -> None:
    def walk(f, x0, lr, iterations):
        f(torch.tensor(1.0))
        return None + 1

    answered = run(walk)
    assert answered.status == "raised" and answered.error is not None
    assert (answered.error.type, answered.error.num_calls) == ("TypeError", 1)


def test_sys_exit_in_a_function_is_an_exception_like_others() -> None:
    def walk(f, x0, lr, iterations):
        raise SystemExit(0)

    assert run(walk).error.type == "SystemExit"


def test_a_missing_function_is_said_to_be_missing() -> None:
    assert run_program({}, CALL).status == "missing"


def test_grad_mode_left_off_does_not_reach_the_next_call() -> None:
    run(lambda *a: torch.set_grad_enabled(False))
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("value", "described"),
    [
        ([1, 2.5, (3,)], [1.0, 2.5, [3.0]]),
        (collections.deque([1, 2.5]), [1.0, 2.5]),
        (array.array("d", [1, 2.5]), [1.0, 2.5]),
        (torch.tensor([1.0, 2.0], requires_grad=True), {"array": [1.0, 2.0], "shape": [2]}),
        (np.float32(0.5), {"array": 0.5, "shape": []}),
        ("text", {"str": "text"}),
        ({"a": 1}, {"dict": 1}),
        (None, None),
        (len, {"object": "builtin_function_or_method"}),
        (list(range(10**6)), {"cut": 10**6}),
        (torch.zeros(10**6), {"cut": 10**6}),
        ([[[[[[1]]]]]], [[[[{"object": "list"}]]]]),
    ],
)
def test_whatever_comes_back_is_described_in_plain_json(value, described) -> None:
    assert json.loads(json.dumps(describe(value))) == described


def test_an_endless_sequence_is_cut() -> None:
    endless: list = []
    endless.append(endless)
    assert len(json.dumps(describe(endless))) < 1000
    assert describe([[1.0] * 100] * MAX_NUMBERS) == {"cut": MAX_NUMBERS}


def test_an_object_that_claims_to_equal_everything_is_only_a_name() -> None:
    class Anything:
        def __eq__(self, other: object) -> bool:
            return True

        def __float__(self) -> float:
            return 64.0

        __hash__ = None  # type: ignore[assignment]

    assert describe([Anything()]) == [{"object": "Anything"}]


def test_a_malformed_answer_becomes_an_empty_run() -> None:
    run = Run.from_json({"status": 3, "visited": [1, "a", None], "error": {"line": "x"}})
    assert run.visited[0] == (1.0,) and math.isnan(run.visited[1][0])


def test_the_request_is_plain_json() -> None:
    assert json.loads(json.dumps(CALL.to_json()))["arguments"]["f"] == {"objective": "x ** 2", "variables": "x"}
    assert answer({"walk": lambda *a: 1}, CALL.to_json())["returned"] == 1.0

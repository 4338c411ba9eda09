"""Roles: what a statement is for, whatever it is called."""

import ast
import time

import pytest

from stepgrade.mutation.events import MAX_TEXT, order_of, read_events

WALK = """
import torch

def walk(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
"""
SAME_WALK = """
import torch as t

def walk(hill, where, stride, n):
    point = t.tensor([float(where)], requires_grad=True)
    seen = []
    for k in range(n):
        height = hill(point)
        seen += [height.item()]
        height.backward()
        point.data = point.data - stride * point.grad
        point.grad = None
    return seen
"""
IN_USE = """
import torch
from torch.optim.lr_scheduler import StepLR as Shrinking

def use(f, start, rate, passes):
    x = torch.nn.Parameter(torch.tensor([start]))
    wanderer = torch.optim.SGD([x], lr=rate)
    clock = Shrinking(wanderer, 3)
    out = []
    for _ in range(passes):
        wanderer.zero_grad()
        f(x).backward()
        wanderer.step()
        clock.step()
        out.append(x.item())
    return out
"""
ORDER = ("forward", "record", "backward", "update", "clear")
LOOP = "def walk(f):\n    for i in f:\n        "
HOSTILE = {
    "long": "x = 1\n" * 100_000,
    "deep": "(" * 300_000,
    "nested": "\n".join("    " * depth + "if x:" for depth in range(90)),
    "signs": "x = " + "-" * 40_000 + "1",
    "sum": "x = " + "+".join("1" * 20_000),
    "attributes": "def walk(f):\n    x" + ".a" * 20_000,
    "targets": LOOP + ", ".join(f"a{n}" for n in range(5_000)) + " = " + "f + " * 5_000 + "1",
    "chain": LOOP + "a.grad = " * 4_000 + "f + " * 3_000 + "1",
    "names": "def walk(f):\n" + "".join(f"    a{n} = f\n" for n in range(3_500)),
    "no Python": "def walk(f:",
    "null": "def walk(f):\0",
}


def roles(source: str, function: str, arguments: str = "") -> dict[str, str]:
    """The role of each statement by its first line."""
    events = read_events(source, function, arguments.split())
    assert events is not None
    statements = [n for n in ast.walk(events.names.tree) if isinstance(n, ast.stmt)]
    return {ast.unparse(n).splitlines()[0]: events.role(n) for n in statements if not isinstance(n, ast.FunctionDef)}


@pytest.mark.parametrize("source", [WALK, SAME_WALK], ids=["one", "another"])
def test_another_spelling_renames_nothing(source: str) -> None:
    assert order_of(source, "walk") == ORDER


def test_each_statement_has_its_role() -> None:
    found = roles(WALK, "walk")
    assert found["x = torch.tensor([float(x0)], requires_grad=True)"] == "make:variable"
    assert found["trajectory = []"] == "make:record"
    assert found["with torch.no_grad():"] == "update"
    assert found["for _ in range(iterations):"] == "loop"
    assert found["return trajectory"] == "return"


def test_classes_are_told_by_torch_itself() -> None:
    found = roles(IN_USE, "use")
    assert found["wanderer = torch.optim.SGD([x], lr=rate)"] == "make:optimizer"
    assert found["clock = Shrinking(wanderer, 3)"] == "make:scheduler"
    assert order_of(IN_USE, "use") == ("clear", "forward", "backward", "step", "schedule", "record")


def test_an_argument_has_the_references_name() -> None:
    events = read_events(SAME_WALK, "walk", ["f", "x0", "lr", "iterations"])
    assert events is not None
    names = events.names
    assert [names.role(name) for name in ("hill", "stride", "n")] == [
        "argument:f",
        "argument:lr",
        "argument:iterations",
    ]
    assert [names.role(name) for name in ("point", "height", "seen")] == ["variable", "value", "record"]


def test_a_name_that_only_hands_an_argument_on_is_that_argument() -> None:
    source = WALK.replace("    trajectory = []", "    rate = float(lr)\n    trajectory = []").replace(
        "-= lr", "-= rate"
    )
    events = read_events(source, "walk")
    assert events is not None
    assert events.names.role("rate") == "argument:lr"


def test_states_are_counted_in_the_order_in_which_they_are_made() -> None:
    source = WALK.replace("    trajectory = []", "    v = 0.0\n    m = 0.0\n    trajectory = []").replace(
        "            x -= lr * x.grad", "            v = v + x.grad\n            m = m + v\n            x -= lr * m"
    )
    assert order_of(source, "walk") == ("forward", "record", "backward", "update:state:1", "update:state:2", *ORDER[3:])


def test_a_role_says_which_loop_it_belongs_to() -> None:
    body = WALK[WALK.index("        y = f(x)") : WALK.index("    return")]
    inner = "        for _ in range(2):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    assert order_of(WALK.replace(body, inner), "walk") == tuple(f"{role}@2" for role in ORDER)


def test_helpers_count_where_they_are_called() -> None:
    helper = "def go(y):\n    y.backward()\n\n"
    source = WALK.replace("def walk", f"{helper}def walk").replace("        y.backward()", "        go(y)")
    assert order_of(source, "walk") == ORDER


def test_variables_of_a_model_are_counted() -> None:
    source = """
import torch
def fit(x, y, lr, epochs):
    w = torch.zeros(1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    losses = []
    for _ in range(epochs):
        loss = ((w * x + b - y) ** 2).mean()
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
        w.grad = b.grad = None
    return losses
"""
    assert order_of(source, "fit") == ("forward", "record", "backward", "update:1", "update:2", "clear")


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_not_read_and_breaks_nothing(source: str) -> None:
    began = time.process_time()
    assert not set(order_of(source, "walk") or ()) - {"clear", "gradient"}
    assert time.process_time() - began < 10


def test_functions_that_call_one_another_end() -> None:
    source = "def walk(f):\n    for _ in f:\n        go(f)\n\ndef go(f):\n" + "    go(go(go(f)))\n" * 300
    assert len(source) < MAX_TEXT
    assert order_of(source, "walk") in (None, ())


def test_a_program_without_the_function_has_no_order() -> None:
    assert order_of("x = 1", "walk") is None

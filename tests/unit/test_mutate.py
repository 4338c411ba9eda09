"""Mutants of right programs: what one small edit makes of them, in loops of every kind."""

import ast
import functools
import time

import pytest

from stepgrade.mutation.mutate import Mutant, mutate

HEAVY_BALL = """
import torch

def roll(f, start, rate, keep, passes):
    x = torch.tensor(start, requires_grad=True)
    speed = torch.zeros_like(x)
    path = []
    for _ in range(passes):
        value = f(x)
        path.append(x.tolist())
        value.backward()
        with torch.no_grad():
            speed = keep * speed + x.grad
            x -= rate * speed
        x.grad = None
    return path
"""

ADAM = """
import torch

def adapt(f, start, rate, b1, b2, eps, passes):
    x = torch.tensor(start, requires_grad=True)
    m = torch.zeros_like(x)
    v = torch.zeros_like(x)
    path = []
    for t in range(passes):
        path.append(x.tolist())
        f(x).backward()
        g = x.grad.clone()
        x.grad.zero_()
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g ** 2
        with torch.no_grad():
            x -= rate * (m / (1 - b1 ** (t + 1))) / (torch.sqrt(v / (1 - b2 ** (t + 1))) + eps)
    return path
"""

STEPS = """
def decay(rate, every, factor, passes):
    return [rate * factor ** (t // every) for t in range(passes)]
"""

WARM_UP = """
import math

def warm_up(rate, warm, passes):
    rates = []
    for t in range(passes):
        if t < warm:
            rates.append(rate * (t + 1) / warm)
        else:
            rates.append(rate / 2 * (1 + math.cos(math.pi * (t - warm) / (passes - warm))))
    return rates
"""

LINE = """
import torch

def fit(x, y, rate, epochs):
    x, y = torch.tensor(x), torch.tensor(y)
    w = torch.zeros(1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    history = []
    for _ in range(epochs):
        loss = ((w * x + b - y) ** 2).mean()
        history.append((loss.item(), w.item(), b.item()))
        loss.backward()
        with torch.no_grad():
            w -= rate * w.grad
            b -= rate * b.grad
        w.grad.zero_()
        b.grad.zero_()
    return history
"""

BATCHES = """
import torch

def batches(x, y, rate, size, epochs):
    x, y = torch.tensor(x), torch.tensor(y)
    w = torch.zeros(1, requires_grad=True)
    losses = []
    for _ in range(epochs):
        for first in range(0, len(x), size):
            loss = ((w * x[first : first + size] - y[first : first + size]) ** 2).mean()
            losses.append(loss.item())
            loss.backward()
            with torch.no_grad():
                w -= rate * w.grad
            w.grad.zero_()
    return losses
"""

CLASSES = """
import torch

def classify(rows, labels, rate, decay, epochs):
    rows, labels = torch.tensor(rows), torch.tensor(labels)
    model = torch.nn.Linear(rows.shape[1], 1)
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, weight_decay=decay)
    history = []
    for _ in range(epochs):
        logits = model(rows).squeeze(1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
        right = ((logits > 0) == (labels > 0.5)).float().mean()
        history.append((loss.item(), right.item()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return history
"""

SGD_IN_USE = """
import torch

def use(f, start, rate, keep, factor, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=rate, momentum=keep)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=factor)
    path = []
    for _ in range(passes):
        y = f(x)
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
        scheduler.step()
        path.append((y.item(), optimizer.param_groups[0]["lr"]))
    return path
"""
CASES = """
def rates(rate, rule, passes):
    found = []
    for t in range(passes):
        if rule == "inverse":
            now = rate / (1 + t)
        elif rule == "root":
            now = rate / (1 + t) ** 0.5
        else:
            now = rate
        found.append(now)
    return found
"""

PLAYERS = """
import torch

def play(f, x, y, fast, slow, rounds):
    x = torch.tensor([float(x)], requires_grad=True)
    y = torch.tensor([float(y)], requires_grad=True)
    path = []
    for _ in range(rounds):
        path.append((x.item(), y.item()))
        f(x, y).backward()
        with torch.no_grad():
            x -= fast * x.grad
            y += slow * y.grad
        x.grad.zero_()
        y.grad.zero_()
    return path
"""

PERCEPTRON = """
def learn(points, labels, rate, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    seen = []
    for _ in range(sweeps):
        for point, label in zip(points, labels):
            seen.append((w[0], w[1], b))
            score = w[0] * point[0] + w[1] * point[1] + b
            if label * score <= 0:
                w[0] += rate * label * point[0]
                w[1] += rate * label * point[1]
                b += rate * label
    return seen
"""
SHAPES = {
    "cases": (CASES, "rates", "lr schedule passes"),
    "players": (PLAYERS, "play", "f x y lr_x lr_y rounds"),
    "perceptron": (PERCEPTRON, "learn", "points labels lr sweeps"),
    "heavy ball": (HEAVY_BALL, "roll", "f start lr momentum iterations"),
    "Adam": (ADAM, "adapt", "f start lr beta1 beta2 eps iterations"),
    "step decay": (STEPS, "decay", "lr step_size gamma passes"),
    "warm-up": (WARM_UP, "warm_up", "lr warmup passes"),
    "line": (LINE, "fit", "x y lr epochs"),
    "batches": (BATCHES, "batches", "x y lr batch_size epochs"),
    "classes": (CLASSES, "classify", "features labels lr weight_decay epochs"),
    "in use": (SGD_IN_USE, "use", "f start lr momentum gamma iterations"),
}
KNOWN = [
    ("cases", "elif-begins-anew", "other", "(1 + t)\n        if rule == 'root'"),
    ("cases", "constants-swapped", "other", "rule == 'root':\n            now = rate / (1 + t)\n"),
    ("cases", "constant-changed:text", "other", "rule == 'invers'"),
    ("cases", "parentheses-added", "other", "(rate / (1 + t)) ** 0.5"),
    ("cases", "operator-turned:A^B", "other", "(1 + t ^ 0.5)"),
    ("cases", "kept-in-argument:lr", "other", "rate = rate / (1 + t)\n"),
    ("cases", "replaced-by:argument:lr", "other", "found.append(rate)"),
    ("players", "rebound:unwrapped", "update:1", "backward()\n        x = x - fast * x.grad\n        y = y + slow"),
    ("players", "replaced-by:variable:1", "update:2", "y += slow * x.grad"),
    ("players", "taken-for:lr_y", "argument:lr_x", "x -= slow * x.grad\n            y += fast * y.grad"),
    ("players", "recorded:value", "record", "path.append((f(x, y).item(), y.item()))"),
    ("perceptron", "operator-turned:A-B", "update:state", "b -= rate * label"),
    ("perceptron", "old-value-lost", "update:state:1", "w[0] = rate * label * point[0]"),
    ("perceptron", "moved-into-block", "record", "<= 0:\n                seen.append"),
    ("perceptron", "outlives-the-call:run", "make:state:1", "global w, b"),
    ("Adam", "replaced-by:state:1", "update", "x -= m\n"),
    ("heavy ball", "operand-lost", "update:state:1", "speed = keep * speed\n"),
    ("heavy ball", "argument-replaced:complement", "argument:momentum", "speed = (1 - keep) * speed + x.grad"),
    ("heavy ball", "factor-added:times-complement:momentum", "update:state:1", "+ x.grad * (1 - keep)"),
    ("heavy ball", "argument-replaced:shrinking", "argument:lr", "x -= rate / (number + 1) * speed"),
    ("heavy ball", "left-out", "clear", "-= rate * speed\n    return"),
    ("heavy ball", "moved-after:update", "update:state:1", "x -= rate * speed\n            speed = keep"),
    ("Adam", "moved-into-call", "update", "torch.sqrt(v / (1 - b2 ** (t + 1)) + eps)"),
    ("Adam", "right-operand-lost", "update", "rate * (m / (1 - b1 ** t)) /"),
    ("Adam", "right-operand-lost", "update:state:2", "(1 - b2) * g\n"),
    ("Adam", "right-operand-lost", "update:state:1", "m = b1 * m\n"),
    ("Adam", "left-operand-lost", "update:state:1", "m = b1 * m + g\n"),
    ("Adam", "call-lost:sqrt", "update", "/ (v / (1 - b2 ** (t + 1)) + eps)"),
    ("Adam", "parentheses-lost", "update", "t + 1"),
    ("Adam", "taken-for:beta2", "argument:beta1", "m = b2 * m + (1 - b2) * g"),
    ("step decay", "operator-turned:A/B", "return", "t / every"),
    ("step decay", "counter-changed:one-more", "return", "((t + 1) // every)"),
    ("step decay", "operator-turned:A*B", "return", "rate * (factor * (t // every))"),
    ("warm-up", "compared:<<=", "record", "if t <= warm"),
    ("warm-up", "sibling:sin", "record", "math.sin(math.pi"),
    ("warm-up", "parentheses-lost", "record", "rate / 2 * 1 + math.cos"),
    ("line", "sibling:sum", "forward", ".sum()"),
    ("line", "left-out", "update:2", "w -= rate * w.grad\n        w.grad.zero_()"),
    ("line", "left-out", "clear", "b -= rate * b.grad\n    return"),
    ("line", "operator-turned:A+B", "update", "w += rate * w.grad\n            b += rate * b.grad"),
    ("line", "moved-into-loop", "make:variable:1", "for _ in range(epochs):\n        w = torch.zeros"),
    ("batches", "slice-changed:end-lost", "forward@2", "x[first:]"),
    ("batches", "range-changed:last-lost", "loop@1", "range(0, len(x) - size"),
    ("batches", "left-out", "clear@2", "w -= rate * w.grad\n    return"),
    ("classes", "keyword-lost:weight_decay", "argument:weight_decay", "lr=rate)"),
    ("classes", "sibling:AdamW", "make:optimizer", "AdamW(model.parameters()"),
    ("classes", "keyword-given:reduction", "forward", "reduction='sum'"),
    ("classes", "compared:><", "other", "(logits < 0)"),
    ("in use", "flag-given:nesterov", "make:optimizer", "nesterov=True"),
    ("in use", "keyword-given:dampening", "argument:momentum", "dampening=keep"),
    ("in use", "keyword-renamed:weight_decay", "argument:momentum", "weight_decay=keep"),
    ("in use", "sibling:RMSprop", "make:optimizer", "RMSprop([x], lr=rate, momentum=keep)"),
    ("in use", "sibling:LinearLR", "make:scheduler", "LinearLR(optimizer)"),
    ("in use", "moved-into-loop:run", "make:variable", "for _ in range(passes):\n        x = torch"),
    ("in use", "moved-before:backward", "step", "optimizer.step()\n        y.backward()"),
    ("in use", "every-second-pass", "schedule", "if number % 2 == 0:\n            scheduler.step()"),
    ("in use", "column-lost:2", "record", "path.append(y.item())"),
    ("in use", "columns-swapped", "record", "['lr'], y.item())"),
    ("in use", "yielded", "record", "yield (y.item()"),
    ("in use", "outlives-the-call", "make:record", "path = []\n\ndef use"),
    ("in use", "argument-replaced:by-lesson", "argument:lr", "lr=0.25"),
    ("in use", "range-changed:one-less", "loop", "range(passes - 1)"),
    ("in use", "computed-anew", "record", "(f(x).item(), "),
]


@functools.cache
def mutants(shape: str) -> tuple[Mutant, ...]:
    source, function, arguments = SHAPES[shape]
    lesson = {"lr": 0.25} if shape == "in use" else {}
    return tuple(mutate(source, function, arguments.split(), lesson))


@pytest.mark.parametrize(("shape", "operator", "role", "text"), KNOWN)
def test_a_known_mistake_is_among_the_mutants(shape: str, operator: str, role: str, text: str) -> None:
    holding = [m for m in mutants(shape) if text in f"{m.source}\n"]
    assert any(m.operator.endswith(operator) and m.role.startswith(role) for m in holding), [
        (m.operator, m.role) for m in holding
    ][:20]


def test_a_number_made_of_arguments_is_replaced_by_the_lessons() -> None:
    source = "def rate(up, down, passes):\n    return [t % (up + down) for t in range(passes)]\n"
    found = mutate(source, "rate", ["up", "down", "passes"], {"up": 4, "down": 2, "passes": 9})
    (mutant,) = [m for m in found if m.operator == "formula-replaced:by-lesson"]
    assert "t % 6 for" in mutant.source


def test_a_list_that_is_an_argument_is_cut_and_shifted() -> None:
    found = mutate(PERCEPTRON, "learn", ["points", "labels", "lr", "sweeps"], {"points": [[1, 2]], "labels": [1]})
    texts = {m.operator: m.source for m in found if m.role == "argument:labels"}
    assert "zip(points, labels[-1:] + labels[:-1])" in texts["argument-replaced:rolled"]
    assert "zip(points, labels[:-1])" in texts["argument-replaced:cut"]


def test_a_tool_of_no_kind_has_no_siblings_and_a_function_of_a_library_is_given_nothing_twice() -> None:
    for shape in ("heavy ball", "players"):
        assert not [m.text for m in mutants(shape) if m.operator.startswith("sibling:") and "no_grad" in m.text]
    assert not [m.text for m in mutants("players") if m.operator == "given-twice" and "append" not in m.text]


@pytest.mark.filterwarnings("ignore::SyntaxWarning")  # some are what Python itself warns of
@pytest.mark.parametrize("shape", SHAPES)
def test_each_mutant_is_another_program_and_they_are_in_order(shape: str) -> None:
    found = mutants(shape)
    sources = [m.source for m in found]
    assert len(sources) == len(set(sources)) > 150
    assert [m.size for m in found] == sorted(m.size for m in found)
    assert ast.unparse(ast.parse(SHAPES[shape][0])) not in sources
    for source in sources:
        compile(source, "<mutant>", "exec")


def test_they_are_the_same_each_time() -> None:
    source, function, arguments = SHAPES["in use"]
    assert tuple(mutate(source, function, arguments.split(), {"lr": 0.25})) == mutants("in use")


def test_another_spelling_has_the_same_names_for_the_same_mistakes() -> None:
    source, function, arguments = SHAPES["in use"]
    spelt = source
    for old, new in {"optimizer": "walker", "scheduler": "clock", "rate": "r", "path": "out", "y": "z"}.items():
        spelt = "\n".join(_renamed(line, old, new) for line in spelt.splitlines())
    theirs = {(m.operator, m.role) for m in mutate(spelt, function, arguments.split(), {"lr": 0.25})}
    assert theirs == {(m.operator, m.role) for m in mutants("in use")}


def _renamed(line: str, old: str, new: str) -> str:
    if "import" in line:
        return line
    tree = ast.parse(line.strip() + ("\n  pass" if line.endswith(":") else "")) if line.strip() else None
    if tree is None:
        return line
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == old:
            node.id = new
        if isinstance(node, ast.arg) and node.arg == old:
            node.arg = new
    indent = line[: len(line) - len(line.lstrip())]
    return indent + ast.unparse(tree).removesuffix("pass").rstrip()


def test_parallel_places_are_edited_at_once_under_the_plain_role() -> None:
    both = [m for m in mutants("line") if m.role == "update" and m.operator == "operator-turned:A+B"]
    assert "w += " in both[0].source and "b += " in both[0].source


def test_what_is_no_program_has_no_mutants() -> None:
    assert list(mutate("def broken(", "broken", [])) == []
    assert list(mutate("x = 1\n" * 60_000, "x", [])) == []


def test_a_solutions_mutants_take_a_moment() -> None:
    began = time.process_time()
    source, function, arguments = SHAPES["in use"]
    list(mutate(source, function, arguments.split()))
    assert time.process_time() - began < 10

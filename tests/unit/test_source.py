"""What the text of a student's cell says, without running it."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import lesson
import pytest
from lesson import raised, ties

from stepgrade.compare import Differs
from stepgrade.reach import MOST_READ, Written, assert_does_not_reach
from stepgrade.records import StudentError
from stepgrade.source import names_in, parse

Cell = lesson.cell.Cell
BY_HAND = """
import torch

# optim.SGD would be easier
def gradient_descent(f, x0, lr, iterations):
    '''Walks downhill; x.grad.zero_() is called.'''
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= rate * x.grad
        x.grad.zero_()
    return trajectory
"""


def cell(source: str) -> Cell:
    return Cell(source, "gradient_descent")


def judged(*cells: str, files: Path | None = None, ended_well: tuple[bool, ...] = ()) -> str:
    """What is said of a notebook's gradient_descent; nothing where it is by hand."""
    try:
        reach = Written(cells, ended_well, files).reach("gradient_descent")
        assert_does_not_reach(SimpleNamespace(reach=lambda: reach), "torch.optim")
    except Differs as problem:
        return problem.message
    return ""


DEF = "def gradient_descent(f, x0, lr, iterations):\n    "
USE_OPTIMIZER = """import torch
def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
"""
CALLS = f"{DEF}return use_optimizer(f, x0, lr, 0.0, iterations)\n"
HELPED = BY_HAND.replace("y = f(x)", "y = helper(f, x)")
OF_TORCH = "def helper(f, x):\n    return torch.optim.Adam([x])\n"
OF_ONES_OWN = "def helper(f, x):\n    return f(x)\n"


class TestByHand:
    def test_a_rule_of_ones_own_is_by_hand_whatever_a_comment_says(self) -> None:
        assert judged(BY_HAND) == ""

    @pytest.mark.parametrize(
        "line",
        [
            "optimizer = torch.optim.SGD([x], lr=lr)",
            "from torch.optim import Adam as A",
            "from torch.optim.sgd import SGD",
            "o = getattr(torch, 'optim').RMSprop([x])",
            "o = getattr(torch.optim, 'S' + 'GD')",
            "t = torch; t.optim.SGD([x])",
            "from torch.optim.sgd import sgd",
            "import torch.optim as o; o.sgd.sgd([x])",
            "torch._fused_sgd_([x])",
            "torch.optim.Optimizer.__subclasses__()[0]([x])",
        ],
    )
    def test_an_optimizer_of_torch_is_pointed_out(self, line: str) -> None:
        assert "uses torch.optim" in judged(f"import torch\n{DEF}{line}\n")

    @pytest.mark.parametrize(
        "cells",
        [
            (USE_OPTIMIZER, CALLS),
            (CALLS, USE_OPTIMIZER),
            (USE_OPTIMIZER, "go = use_optimizer", f"{DEF}return go(f, x0)"),
            (USE_OPTIMIZER, "import functools\ngradient_descent = functools.partial(use_optimizer, momentum=0)"),
            (USE_OPTIMIZER, f"{DEF}return [run(f) for run in [use_optimizer]]"),
            ("from torch import optim as o", f"{DEF}return getattr(o, 'S' + 'GD')"),
            ("from torch.optim.sgd import sgd as helper", HELPED),
            ("from torch.optim import *", HELPED.replace("helper", "SGD")),
            ("from torch.optim.sgd import *", HELPED.replace("helper", "sgd")),
            (OF_TORCH, HELPED),
            ("import torch\n(o := torch.optim)", f"{DEF}return o.SGD"),
            ("import torch\ntools = {}\ntools['a'] = torch.optim.SGD", f"{DEF}return tools['a']"),
            ("import torch\ntools = []\ntools.append(torch.optim.SGD)", f"{DEF}return tools[0]"),
            ("def bind():\n    global o\n    o = torch.optim", f"{DEF}return o.SGD"),
            ("class Tool:\n    def run(self):\n        return torch.optim.SGD", f"{DEF}return Tool().run()"),
            (OF_TORCH, BY_HAND.replace("def gradient", "@helper\ndef gradient")),
            (OF_TORCH, "if True:\n    pass\nelse:\n    def helper(f, x): return f(x)\n", HELPED),
            (f"{DEF}return torch.optim.SGD", f"%%bash\n{BY_HAND}"),
            (f"len?\n{CALLS}", USE_OPTIMIZER),
            (f"files = !ls\n{CALLS}", USE_OPTIMIZER),
            (f"text = '\u2028'\n{CALLS}", USE_OPTIMIZER),
            (f"# a \x0c page\n{CALLS}", USE_OPTIMIZER),
            (f"%%time\n%matplotlib inline\n{CALLS}", USE_OPTIMIZER),
        ],
    )
    def test_what_the_function_calls_is_followed_over_all_cells(self, cells: tuple[str, ...]) -> None:
        assert "uses torch.optim" in judged(*cells)

    @pytest.mark.parametrize(
        "cells",
        [
            (USE_OPTIMIZER + BY_HAND,),
            (f"{BY_HAND}\nx = torch.tensor([8.0])\ntorch.optim.SGD([x], lr=0.1)\n",),
            (BY_HAND, "optimizer = torch.optim.SGD([x], lr=0.1)\noptimizer.step()"),
            ("class SGD:\n    def value(self, f, x): return f(x)\n", HELPED.replace("helper", "SGD().value")),
            ("class Own(torch.optim.Optimizer):\n    pass\n", HELPED.replace("helper", "Own")),
            (OF_TORCH, OF_ONES_OWN, HELPED),
            (f"{DEF}return torch.optim.SGD", BY_HAND),
            ("import torch.optim as optim", HELPED.replace("y = helper(f, x)", "optim = f; y = optim(x)")),
            ("def other():\n    y = torch.optim.SGD\n", BY_HAND),
            ("%%bash\npip install torch | grep gradient_descent", BY_HAND),
            (f"%matplotlib inline\nlen?\nfiles = !ls\n{BY_HAND}",),
            (f"%%time\n{BY_HAND}",),
            (f"text = {' + '.join(['word'] * 900)}\n{BY_HAND}",),
        ],
    )
    def test_what_the_function_does_not_reach_does_not_count(self, cells: tuple[str, ...]) -> None:
        assert judged(*cells) == ""

    def test_a_cell_that_stopped_does_not_take_the_place_of_earlier_ones(self) -> None:
        cells = (f"{DEF}return torch.optim.SGD", f"1 / 0\n{BY_HAND}")
        assert "uses torch.optim" in judged(*cells, ended_well=(True, False))
        assert judged("def broken(:", BY_HAND, ended_well=(False, True)) == ""

    @pytest.mark.parametrize("line", ["from mine import helper", "from mine import *", "%run mine.py"])
    def test_files_that_were_handed_in_are_followed(self, tmp_path: Path, line: str) -> None:
        (tmp_path / "mine.py").write_text(f"import torch\n{OF_TORCH}")
        assert "uses torch.optim" in judged(line, HELPED, files=tmp_path)
        (tmp_path / "mine.py").write_text(OF_ONES_OWN + USE_OPTIMIZER)
        assert judged(line, HELPED, files=tmp_path) == ""

    def test_names_that_are_imported_from_names_come_to_an_end(self, tmp_path: Path) -> None:
        (tmp_path / "mine.py").write_text("".join(f"from mine import a{i + 1} as a{i}\n" for i in range(2000)))
        assert judged("from mine import a0 as helper", HELPED, files=tmp_path) == ""
        (tmp_path / "mine.py").write_text("from mine.helper import more as helper\n")
        assert judged("from mine import helper", HELPED, files=tmp_path) == ""

    def test_a_file_is_not_read_through_a_link_that_leads_elsewhere(self, tmp_path: Path) -> None:
        (tmp_path / "elsewhere.py").write_text(OF_TORCH)
        (tmp_path / "files").mkdir()
        (tmp_path / "files" / "mine.py").symlink_to(tmp_path / "elsewhere.py")
        assert judged("import mine", HELPED.replace("helper", "mine.helper"), files=tmp_path / "files") == ""

    @pytest.mark.parametrize(
        "cells",
        [
            ("from nowhere import gradient_descent",),
            (BY_HAND, "!ls\n" * 9000 + BY_HAND),
            (HELPED, "x = 1\n" * 60_000 + OF_TORCH),
            ("",),
        ],
    )
    def test_what_cannot_be_read_is_said(self, cells: tuple[str, ...]) -> None:
        assert "cannot be read" in judged(*cells)

    def test_a_file_that_cannot_be_read_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "mine.py").write_text("def helper(:")
        assert "mine cannot be read" in judged("from mine import helper", HELPED, files=tmp_path)

    def test_reading_comes_to_an_end(self) -> None:
        assert "cannot be read" in judged(f"if True:\n{'    a = a + 1' + chr(10)}" * 20_000 + f"{DEF}return a")

    @pytest.mark.parametrize(
        ("head", "unit", "end"),
        [
            pytest.param("a = 1\n# cell\n" * 1900 + DEF + "pass\n", "    n{}\n", "", id="unknown names in many cells"),
            pytest.param("", "if f:\n    a = b{}\n# cell\n", f"{DEF}return a\n", id="a name of many cells"),
            pytest.param("from mine import *\n" * 5000 + DEF + "pass\n", "    n{}\n", "", id="stars"),
            pytest.param(DEF + "import mine\n", "    mine.n{}.a.b\n", "", id="names of a file"),
            pytest.param(
                "def broken(:\n" * 9000 + "# cell\n" + DEF + "pass\n", "    n{}\n", "", id="text that is no Python"
            ),
            pytest.param("", "a{} = a\n", f"{DEF}return a1\n", id="names of names"),
            pytest.param("", "def a{}(): return a\n", f"{DEF}return a1\n", id="functions of functions"),
            pytest.param(f"{DEF}return [", "lambda a{0}: a{0},", "]\n", id="functions in one line"),
            pytest.param(DEF + "pass\n", "    a{} = lambda: 0\n", "", id="names around functions"),
            pytest.param("try:\n    pass\n", "except a{}:\n    b\n", f"{DEF}return b\n", id="handlers"),
            pytest.param("match f:\n", "    case a.b{}:\n        c = 1\n", f"{DEF}return c\n", id="cases"),
        ],
    )
    def test_what_is_permitted_is_read_in_linear_time(self, head: str, unit: str, end: str, tmp_path: Path) -> None:
        (tmp_path / "mine.py").write_text("".join(f"m{n} = 1\n" for n in range(25_000)))
        room = MOST_READ - len(head) - len(end)
        text = head + "".join(unit.format(n) for n in range(room // len(unit.format(10_000)))) + end
        began = time.process_time()
        judged(*text.split("# cell\n"), files=tmp_path)
        assert (
            time.process_time() - began < 30
        )  # seconds; it takes three at most, and took minutes where it was a square

    def test_magics_are_no_syntax_error(self) -> None:
        tree = parse("%matplotlib inline\n!ls\nx = 1\n")
        assert tree is not None
        assert "x" in names_in(tree)

    def test_magics_of_magics_are_read_too(self) -> None:
        tree = parse("%%time\n" * 5000 + "x = 1\n")
        assert tree is not None
        assert names_in(tree) == {"x"}

    def test_broken_source_has_no_tree(self) -> None:
        assert parse("def f(:") is None


class TestCell:
    def test_tells_what_is_done_in_which_order(self) -> None:
        assert cell(BY_HAND).order() == ["forward", "backward", "update", "zero"]

    def test_knows_the_variable_that_f_is_called_with(self) -> None:
        assert cell(BY_HAND.replace("x = torch", "w = torch").replace("f(x)", "f(w)")).x == "w"

    def test_comments_and_docstrings_say_nothing(self) -> None:
        assert "SGD" not in cell(BY_HAND).source
        assert "is called" not in cell(BY_HAND).source

    def test_an_argument_that_is_never_read_and_the_name_that_stands_for_it(self) -> None:
        assert cell(BY_HAND).unread_parameters() == ["lr"]
        assert cell(BY_HAND).outside_names() == ["rate"]

    def test_a_scheduler_is_told_from_an_optimizer(self) -> None:
        source = (
            "def gradient_descent(f):\n    opt = torch.optim.SGD([x])\n    s = lr_scheduler.StepLR(opt, 1)\n"
            "    for _ in range(3):\n        opt.step()\n        s.step()\n"
        )
        assert cell(source).order() == ["step", "schedule"]

    def test_source_that_is_no_python_has_no_events(self) -> None:
        assert cell("def gradient_descent(f, x0:\n    x -= 1").events == ()

    def test_a_line_keeps_its_number(self) -> None:
        assert cell(BY_HAND).line(15) == "x.grad.zero_()"
        assert cell(BY_HAND).line(99) == ""


class TestTies:
    IDLE = ("grad-zeroed-before-use", "no-update", "update-in-new-name", "update-outside-loop", "x-reset-in-loop")

    @pytest.mark.parametrize(
        ("old", "new", "name"),
        [
            ("            x -= rate * x.grad\n", "            pass\n", "no-update"),
            ("x -= rate * x.grad", "x_new = x - rate * x.grad", "update-in-new-name"),
            ("        y.backward()\n", "        y.backward()\n        x.grad.zero_()\n", "grad-zeroed-before-use"),
        ],
    )
    def test_the_text_tells_why_x_stays(self, old: str, new: str, name: str) -> None:
        assert ties.decide(cell(BY_HAND.replace(old, new)), self.IDLE) == [name]

    def test_all_stay_where_the_text_does_not_say(self) -> None:
        assert ties.decide(cell(""), ["recorded-x", "recorded-after"]) == ["recorded-x", "recorded-after"]

    def test_harmless_habits(self) -> None:
        assert ties.needless(cell(BY_HAND)) == []
        assert ties.needless(cell(BY_HAND.replace("backward()", "backward(retain_graph=True)"))) == [
            "needless-retain-graph"
        ]
        assert ties.needless(cell(BY_HAND.replace("y.item()", "y"))) == ["graph-kept-in-list"]


HELPERS = """
def one_pass(fn, point, opt):
    opt.zero_grad()
    y = fn(point)
    y.backward()
    opt.step()
    return y.item()

def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    return [one_pass(f, x, optimizer) for _ in range(iterations)]
"""


class TestHelpers:
    def test_what_a_helper_does_counts_where_it_is_called(self) -> None:
        assert cell(HELPERS).order() == ["zero", "forward", "backward", "step"]

    def test_a_closure_counts_before_the_step_that_it_is_handed_to(self) -> None:
        source = (
            "def gradient_descent(f, x0, lr, iterations):\n    def closure():\n        optimizer.zero_grad()\n"
            "        f(x).backward()\n    for _ in range(iterations):\n        optimizer.step(closure)\n"
        )
        assert cell(source).order() == ["zero", "forward", "backward", "step"]

    def test_hooks_hide_what_is_done(self) -> None:
        assert cell(HELPERS.replace("opt.step()", "x.register_hook(opt)")).is_opaque
        assert not cell(HELPERS).is_opaque


HEAD = "def gradient_descent(f, x0, lr, iterations):\n    x = torch.tensor([float(x0)])\n    out = []\n"
LOOP = "    for _ in range(iterations):\n        y = f(x)\n        y.backward()\n"
UPDATES = "        x = x - lr\n"


def nested(head: str, line: str, times: int) -> str:
    """A line inside many blocks."""
    return "".join(f"{' ' * (8 + i)}{head}\n" for i in range(80)) + f"{' ' * 90}{line}\n" * times


class TestLongCells:
    """Every node of a long cell is visited a few times, however the lines stand."""

    MOST_VISITS = 60

    @pytest.mark.parametrize(
        "source",
        [
            pytest.param(f"{HEAD}    if iterations < 0: {'f(x);' * 9000}\n{LOOP}", id="forward"),
            pytest.param(HEAD + LOOP + UPDATES * 2000, id="updates"),
            pytest.param(f"{HEAD}{LOOP}        if f: {'x = x - lr;' * 4000}\n", id="updates in one line"),
            pytest.param(f"{HEAD}{LOOP}        {'x=x.grad=' * 4000}x-{'x-' * 300}x\n", id="many targets"),
            pytest.param(HEAD + LOOP + nested("for _ in f:", "x = x - lr", 400), id="loops in loops"),
            pytest.param(HEAD + LOOP + nested("with torch.no_grad():", "f(x)", 400), id="blocks in blocks"),
            pytest.param(f"{HEAD}{LOOP}        {'[' * 80}[{'f(x),' * 8000}]{' for _ in f]' * 80}\n", id="in lists"),
            pytest.param(f"{HEAD}{LOOP}        {'f(' * 80}[{'x,' * 15000}]{')' * 80}\n", id="calls in calls"),
            pytest.param(
                "def h3():\n" + "    f(x)\n" * 300
                + "def h2():\n" + "    h3()\n" * 300 + "def h1():\n" + "    h2()\n" * 300 + HEAD + "    h1()\n" + LOOP,
                id="helpers of helpers",
            ),
        ],
    )  # fmt: skip
    def test_reading_takes_no_square(self, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
        num_nodes = sum(1 for _ in ast.walk(ast.parse(source)))
        visited, usual = 0, ast.iter_child_nodes

        def count(node: ast.AST) -> Iterator[ast.AST]:
            nonlocal visited
            visited += 1
            if visited > self.MOST_VISITS * num_nodes:
                pytest.fail("reading visits the same nodes again and again")
            return usual(node)

        with monkeypatch.context() as patch:  # pytest looks at trees too
            patch.setattr(ast, "iter_child_nodes", count)
            self.read_all(source)

    def read_all(self, source: str) -> None:
        """Ask a cell all that a diagnosis may ask."""
        read = cell(source)
        assert read.function is not None
        ties.needless(read)
        for witness in ties.WITNESSES.values():
            witness(read)
        for error in (
            StudentError("RuntimeError", "element 0 of tensors does not require grad", 8, "y.backward()", 1),
            StudentError("TypeError", "unsupported operand type(s) for *: 'float' and 'NoneType'", 8, "x = y", 2),
        ):
            raised.causes(error, read)
        read.is_forward_under_no_grad(), read.is_forward_detached(), read.rebindings()

    def test_helpers_that_call_one_another_again_and_again_say_nothing(self) -> None:
        helpers = "".join(f"def h{i}():\n" + f"    h{i + 1}()\n" * 300 for i in range(3))
        assert cell(f"{helpers}{HEAD}    h0()\n{LOOP}").is_unread

    def test_spaces_in_a_string_are_looked_at_once(self) -> None:
        source = f"{HEAD}    torch.optim.SGD(['{' ' * 45_000}'])\n{LOOP}"
        assert ties.WITNESSES["optimizer-on-other-tensor"](cell(source)) is None
        assert ties.WITNESSES["optimizer-on-other-tensor"](cell(f"{HEAD}    torch.optim.SGD([y])\n{LOOP}"))

    def test_a_cell_with_more_than_anybody_writes_says_nothing(self) -> None:
        assert cell(f"{'x;' * 24_000}\n{HEAD}{LOOP}").is_unread
        assert cell("# word\n" * 10_000 + HEAD + LOOP).is_unread


def test_one_thread_at_a_time_makes_a_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.11 miscounts the depth where several do, and then raises SystemError."""
    inside, most, make = [], [], ast.parse
    failures = [SystemError("AST constructor recursion depth mismatch")]

    def watched(text: str) -> ast.Module:
        inside.append(text)
        most.append(len(inside))
        time.sleep(0.01)
        inside.pop()
        if failures:
            raise failures.pop()
        return make(text)

    monkeypatch.setattr(ast, "parse", watched)
    with ThreadPoolExecutor(4) as pool:
        trees = list(pool.map(parse, ["x = 1"] * 8))
    assert None not in trees
    assert (max(most), len(most)) == (1, 9)

"""What the text of a student's cell says, without running it."""

from __future__ import annotations

import pytest

from stepgrade.compare import Differs
from stepgrade.diagnosis import ties
from stepgrade.diagnosis.cell import Cell
from stepgrade.source import assert_by_hand, names_in, parse

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


class TestByHand:
    def test_a_rule_of_ones_own_is_by_hand_whatever_a_comment_says(self) -> None:
        assert_by_hand(BY_HAND)

    @pytest.mark.parametrize(
        "line",
        [
            "optimizer = torch.optim.SGD([x], lr=lr)",
            "from torch.optim import Adam as A",
            "from torch.optim.sgd import SGD",
            "o = getattr(torch, 'optim').RMSprop([x])",
        ],
    )
    def test_an_optimizer_of_torch_is_pointed_out(self, line: str) -> None:
        with pytest.raises(Differs, match="by hand"):
            assert_by_hand(f"def gradient_descent(f, x0, lr, iterations):\n    {line}\n")

    def test_magics_are_no_syntax_error(self) -> None:
        tree = parse("%matplotlib inline\n!ls\nx = 1\n")
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

"""What the instructor's notebook earns, what the release shows, and what cheating is worth."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from stepgrade.classroom import fill
from stepgrade.diagnosis.catalogue import read_programs
from stepgrade.diagnosis.labels import read_labels
from stepgrade.notebook import cell_named

PROJECT = Path(__file__).resolve().parents[2]
SOURCE = PROJECT / "source" / "optimization" / "optimization.ipynb"
RELEASE = PROJECT / "release" / "optimization" / "optimization.ipynb"
HIDDEN = PROJECT / "tests" / "hidden" / "optimization"
STEPS_AWAY = """
def {name}(*inputs):
    return {returned}
"""

CHEATS = {
    "patched-comparisons": "import numpy as np, math, builtins\n"
    "np.allclose = np.isclose = lambda *a, **k: True\nmath.isclose = lambda *a, **k: True\n"
    "builtins.abs = lambda x: 0\nimport torch\ntorch.allclose = lambda *a, **k: True",
    "patched-sgd": "import torch\n"
    "class Still(torch.optim.Optimizer):\n"
    "    def __init__(self, params, *a, **k):\n        super().__init__(params, {'lr': 0.1})\n"
    "    def step(self, closure=None):\n        pass\n"
    "torch.optim.SGD = Still",
    "hook": "seen = []\n"
    "get_ipython().events.register('pre_run_cell', lambda info: seen.append(info.raw_cell))\n"
    "get_ipython().events.register('post_run_cell', lambda r: print('SEEN', len(seen), seen[-1][:4000]))",
    "fake-score": "from IPython.display import display, HTML\n"
    "print('10/10')\ndisplay(HTML('<b>score 4.0</b>'))\nimport sys\nsys.displayhook(4.0)\n4.0",
    "equal-to-everything": "class Any(float):\n    __eq__ = __le__ = __lt__ = __ge__ = lambda s, o: True\n"
    "    __hash__ = None\n    __sub__ = __rsub__ = lambda s, o: 0.0\n    __abs__ = lambda s: 0.0",
}

AFTERWARDS = {
    "reset": "%reset -f",
    "deleted": "del gradient_descent, use_optimizer, use_scheduler",
    "defined-again": "def gradient_descent(f, x0, lr, iterations): return []",
    "half-precision": "import torch\ntorch.set_default_dtype(torch.float16)",
    "no-gradients": "import torch\ntorch.inference_mode().__enter__()",
    "patched-later": "import torch\ntorch.optim.SGD.step = lambda self, closure=None: None",
}
"""A last cell that changes what the functions above it do: they are judged as their checks found them."""

FORMGRADER = """
# What the formgrader's server does, in one process: grade, and grade again when somebody has changed something.
import json, sys
from pathlib import Path
import psutil
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from stepgrade.course import load_config

root, change = Path(sys.argv[1]), json.loads(sys.argv[2])
file = root / change["file"]
right = file.read_text()
changed = right.replace(change["old"], change["new"])
assert changed != right
for text in (right, changed, right):
    file.write_text(text)
    config = load_config(root)
    coursedir = CourseDirectory(config=config)
    coursedir.root = str(root)
    done = NbGraderAPI(coursedir, config=config).autograde("optimization", "long-lived")
    assert done["success"], done
    report = root / "autograded" / "long-lived" / "optimization" / "optimization.report.json"
    exercises = json.loads(report.read_text())["exercises"]
    parents = len(psutil.Process().children())
    print(json.dumps([exercises[0]["score"], exercises[0]["outcome"], parents]))
"""


@pytest.fixture(scope="module")
def graded(classroom):
    release = classroom.release()
    classroom.hand_in("ours", SOURCE.read_text(encoding="utf-8"))
    classroom.hand_in("untouched", nbformat.writes(release))
    for name, code in CHEATS.items():
        returned = "[Any(1)] * inputs[-1]" if name == "equal-to-everything" else "[4.0] * inputs[-1]"
        functions = ("gradient_descent", "use_optimizer", "use_scheduler")
        bodies = [code + "\n" + STEPS_AWAY.format(name=f, returned=returned) for f in functions]
        nb = fill(release, dict(zip(("gradient-descent", "optimizer", "scheduler"), bodies, strict=True)))
        nb.cells.append(nbformat.v4.new_code_cell("print('10/10')\n10.0", id="last"))
        classroom.hand_in(name, nbformat.writes(nb))
    noisy = nbformat.read(SOURCE, as_version=4)
    for exercise in ("gradient-descent", "optimizer", "scheduler"):
        cell = cell_named(noisy, exercise)
        cell.source = (
            "import sys, warnings\nwarnings.warn('a UserWarning from a library')\n"
            "print('a warning on stderr', file=sys.stderr)\n" + cell.source + "\nFalse"
        )
    classroom.hand_in("noisy", nbformat.writes(noisy))
    for name, code in AFTERWARDS.items():
        nb = nbformat.read(SOURCE, as_version=4)
        nb.cells.append(nbformat.v4.new_code_cell(code, id="last"))
        classroom.hand_in(name, nbformat.writes(nb))
    classroom.autograde()
    classroom.nbgrader("generate_feedback", "optimization")
    return classroom


def test_our_solution_earns_everything(graded) -> None:
    assert graded.score("ours") == 10
    assert all(e["outcome"] == "passed" and e["diagnosis"] == [] for e in graded.report("ours")["exercises"])
    assert graded.report("ours")["notes"] == []


def test_the_untouched_release_earns_nothing(graded) -> None:
    assert graded.score("untouched") == 0


def test_warnings_prints_and_last_expressions_cost_nothing(graded) -> None:
    assert graded.score("noisy") == 10


@pytest.mark.parametrize("name", AFTERWARDS)
def test_an_exercise_is_not_judged_by_what_comes_after_it(graded, name: str) -> None:
    assert graded.score(name) == 10


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_gains_nothing_and_learns_nothing(graded, cheat: str) -> None:
    assert graded.score(cheat) == 0
    written = nbformat.writes(graded.graded(cheat))
    page = (graded.root / "feedback" / cheat / "optimization" / "optimization.html").read_text(encoding="utf-8")
    for text in (written, page):
        assert "HIDDEN TESTS" not in text
        assert "assert_follows" not in text and "EXERCISE" not in text


def test_the_release_is_byte_for_byte_what_the_source_gives(generated: Path) -> None:
    made = generated / "release" / "optimization"
    assert sorted(path.name for path in made.iterdir()) == ["live_plot.py", "optimization.ipynb"]
    assert (made / "optimization.ipynb").read_bytes() == RELEASE.read_bytes()
    assert (made / "live_plot.py").read_bytes() == (PROJECT / "live_plot.py").read_bytes()
    assert (RELEASE.parent / "live_plot.py").read_bytes() == (PROJECT / "live_plot.py").read_bytes()
    assert sorted(path.name for path in RELEASE.parent.iterdir()) == ["live_plot.py", "optimization.ipynb"]


def test_cell_ids_are_stable_from_source_to_release() -> None:
    source, release = (nbformat.read(path, as_version=4) for path in (SOURCE, RELEASE))
    assert [cell.id for cell in source.cells] == [cell.id for cell in release.cells]
    assert all(not cell.get("outputs") for cell in source.cells)


def solution_lines() -> set[str]:
    """The lines between the marks of a solution that say something by themselves."""
    lines: set[str] = set()
    for cell in nbformat.read(SOURCE, as_version=4).cells:
        for block in re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", cell.source, re.S):
            lines |= {line.strip() for line in block.splitlines() if len(line.strip()) > 12}
    return lines


def test_nothing_in_the_release_is_a_solution_a_hidden_line_or_the_name_of_a_mistake() -> None:
    release = nbformat.read(RELEASE, as_version=4)
    text = "\n".join(cell.source for cell in release.cells)
    graded = "\n".join(c.source for c in release.cells if "nbgrader" in c.metadata)
    assert solution_lines()
    for line in solution_lines():
        assert line not in graded, f"the release shows a line of a solution: {line}"
    for mark in ("BEGIN SOLUTION", "BEGIN HIDDEN", "tests/hidden", "stepgrade", "EXERCISE", "reference("):
        assert mark not in text, f"the release shows {mark!r}"
    raw = RELEASE.read_text(encoding="utf-8") + (RELEASE.parent / "live_plot.py").read_text(encoding="utf-8")
    files = [(p.name, p.hint) for folder in HIDDEN.glob("*/mistakes") for p in read_programs(folder)]
    for name, hint in [*files, *((label.name, label.hint) for label in read_labels(HIDDEN))]:
        if name.count("-") >= 1:  # a name of one word is a word of the lesson
            assert not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", raw), f"the release names {name}"
        assert hint and hint not in raw, f"the release gives the hint of {name}"


def test_hidden_inputs_are_nowhere_in_the_release() -> None:
    raw = RELEASE.read_text(encoding="utf-8")
    for file in HIDDEN.glob("*/test_*.py"):
        for objective in re.findall(r'Objective\("([^"]+)"\)', file.read_text(encoding="utf-8")):
            if objective not in ("x ** 2", "5 * abs(x)"):
                assert objective not in raw


def test_pytest_judges_our_solution_and_any_submission(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(PROJECT / "tests" / "hidden")]
    ours = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ours.returncode == 0, ours.stdout
    stub = subprocess.run(
        [*command, "--submission", str(RELEASE)], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert stub.returncode == 1 and "passed" not in stub.stdout.splitlines()[-1]
    assert "NotImplementedError" in stub.stdout


def test_the_command_grades_one_file_and_writes_nothing(tmp_path: Path) -> None:
    nb = copy.deepcopy(nbformat.read(RELEASE, as_version=4))
    file = tmp_path / "handed-in.ipynb"
    nbformat.write(nb, file)
    command = [str(Path(sys.executable).parent / "stepgrade"), "grade", str(file), "--course", str(PROJECT)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "0 of 10 points" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["handed-in.ipynb"]


def test_the_command_says_what_to_do_about_a_wrong_call(tmp_path: Path) -> None:
    stepgrade = str(Path(sys.executable).parent / "stepgrade")
    for words, said in (
        (["grade", "nowhere.ipynb", "--course", str(PROJECT)], "there is no file nowhere.ipynb"),
        (["grade", str(RELEASE), "--course", str(tmp_path)], "no course here"),
    ):
        done = subprocess.run([stepgrade, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 2 and said in done.stderr


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (
            {
                "file": "tests/hidden/optimization/gradient-descent/test_gradient_descent.py",
                "old": "trajectory.append(y.item())",
                "new": "trajectory.append(y.item() + 1)",
            },
            "failed",
        ),
        (
            {
                "file": "course_config.py",
                "old": "c.Stepgrade.seconds_per_submission = 120",
                "new": "c.Stepgrade.seconds_per_submission = 0.001",
            },
            "timed_out",
        ),
    ],
    ids=["checks", "settings"],
)
def test_a_long_lived_process_grades_by_what_stands_now(classroom, change, outcome) -> None:
    classroom.hand_in("long-lived", SOURCE.read_text(encoding="utf-8"))
    words = [sys.executable, "-c", FORMGRADER, str(classroom.root), json.dumps(change)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=classroom.root)
    assert done.returncode == 0, done.stderr
    first, second, third = map(json.loads, done.stdout.splitlines()[-3:])
    assert first == third == [4.0, "passed", 1], "one warm parent, and no verdict of the run in between"
    assert second[0] < 4 and second[1] == outcome and second[2] == 1

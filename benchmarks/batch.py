"""One class, graded by stock nbgrader (a sample) and by `stepgrade autograde` (all of it), end to end.

    python benchmarks/batch.py                      1,000 submissions without live plots, 3 by stock nbgrader
    python benchmarks/batch.py --plots              with the lesson's live plots, stock nbgrader at the lesson's delays
    python benchmarks/batch.py --sizes 100 1000 5000      cost per submission and memory by size of the class
    python benchmarks/batch.py --regrade --feedback       these too
    python benchmarks/batch.py --real               300 as classes are, beside 300 right ones: what each kind costs

A class as classes are: 70 % right, 25 % wrong in all the ways that are known, 3 % endless, 2 % mangled.

Stock nbgrader: its own preprocessors, `Execute`, hidden tests in the student's kernel, one process per class. Times are
the wall's, from the command's start to its end, gradebook and files included; its own start and import are given apart,
since they are paid once for a class. Memory is the sum of the proportional set sizes of the whole process tree.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import psutil

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "tests" / "integration"))

from classes import ASSIGNMENT, EXERCISES, hand_in, solutions  # noqa: E402 -- found by the line above

from stepgrade.classroom import (  # noqa: E402
    copy_course,
    fill,
    in_turn,
    run_nbgrader,
    watch_live_plots,
    wrong_answers,
)
from stepgrade.course import Course, find_course  # noqa: E402
from stepgrade.errors import CourseError  # noqa: E402
from stepgrade.notebook import read_ours  # noqa: E402

NUM_KINDS = 8  # wrong answers of a class are few: everybody makes the same mistakes
MEMORY_EVERY = 8  # seconds between two looks at memory, which take processor time from what is measured
WARM = 30  # submissions until every kind of answer has come: the cost per submission is taken after them
STEPGRADE = str(Path(sys.executable).parent / "stepgrade")
STOCK_TESTS = {
    "gradient-descent-check": """
_y, _x = [], torch.tensor([8.0])
for _ in range(20):
    _x.requires_grad_(True)
    _v = (_x**2).sum()
    _y.append(_v.item())
    (_g,) = torch.autograd.grad(_v, _x)
    _x = (_x - 0.1 * _g).detach()
assert np.allclose(gradient_descent(lambda x: x**2, 8, 0.1, 20), _y, rtol=1e-4)""",
    "optimizer-check": "assert len(use_optimizer(lambda x: x**2, 8, 0.01, 0.9, 10)) == 10",
    "scheduler-check": "assert len(use_scheduler(lambda x: 5 * abs(x), 8, 0.5, 0.8, 15)) == 15",
}


def main() -> None:
    """Build classes, time both, print."""
    options = parse()
    with tempfile.TemporaryDirectory(prefix="stepgrade-bench-") as folder:
        root = Path(folder)
        if options.real:
            compare_real(root, options)
            return
        stock = time_stock(root / "stock", options) if options.stock else None
        costs = []
        for size in options.sizes:
            ours = time_ours(root / f"ours-{size}", size, options)
            costs.append((size, ours))
            tell(size, ours, stock)
        if len(costs) > 1:
            each = [ours.steady for _, ours in costs]
            print(f"cost per submission differs by {max(each) / min(each) - 1:.1%} between sizes")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+")
    parser.add_argument("--stock", type=int, default=3, help="submissions that stock nbgrader grades; 0: none")
    parser.add_argument("--plots", action="store_true", help="keep the lesson's live plots; stock nbgrader waits")
    parser.add_argument("--regrade", action="store_true", help="judge the class again, too")
    parser.add_argument("--feedback", action="store_true", help="feedback pages, too, by both")
    parser.add_argument("--jobs", type=int, default=None)
    parser.add_argument("--real", action="store_true", help="a class as classes are, beside one that is all right")
    options = parser.parse_args()
    options.sizes = options.sizes or [300 if options.real else 1000]
    return options


# ----------------------------------------------------------------------------------------------------------- the class


def is_plot(cell: Any) -> bool:
    """Whether a cell of the lesson draws or needs what is drawn; graded cells never do."""
    words = ("live_plot", "LivePlot", "plot", "paths", "choice", "surfaces", "wavy", "valley", "bars")
    return "nbgrader" not in cell.metadata and cell.cell_type == "code" and any(word in cell.source for word in words)


def build(root: Path, size: int, with_plots: bool, is_stock: bool) -> None:
    """A course folder with a class: 70 % right, the others wrong in a few ways; no two cells have the same text."""
    release, course = build_course(root, with_plots, is_stock)
    right, wrong = solutions(PROJECT), in_turn(wrong_answers(course, ASSIGNMENT))[:NUM_KINDS]
    for n in range(size):
        programs = dict(right)
        if n % 10 >= 7:
            programs = wrong[(n // 10 * 3 + n % 10 - 7) % NUM_KINDS]
        hand_in(root, f"s{n:05}", answered(release, programs, n))


def answered(release: Any, programs: Mapping[str, str], number: int) -> Any:
    """A student's notebook."""
    return fill(release, {e: f"{text}\n# student {number}\n" for e, text in programs.items()})


def build_course(root: Path, with_plots: bool, is_stock: bool) -> tuple[Any, Course]:
    """A course folder; the released notebook, and the course that mistakes come from."""
    root.mkdir(parents=True)
    course = find_course(PROJECT)
    copy_course(course, root)
    source = root / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    nb = nbformat.read(source, as_version=4)
    if not with_plots:
        first = next(cell for cell in nb.cells if cell.cell_type == "code")
        nb.cells = [cell for cell in nb.cells if cell is first or not is_plot(cell)]
    if is_stock:
        for cell in nb.cells:
            test = STOCK_TESTS.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
            if test:
                cell.source += f"\n### BEGIN HIDDEN TESTS\nimport numpy as np\n{test}\n### END HIDDEN TESTS"
        config = f'c = get_config()\nc.CourseDirectory.course_id = "stock"\nc.CourseDirectory.root = {str(root)!r}\n'
        (root / "course_config.py").write_text(config + "c.ExecutePreprocessor.timeout = 600\n")
        if with_plots:
            watch_live_plots(root, ASSIGNMENT)
    nbformat.write(nb, source)
    run_nbgrader(root, "generate_assignment", ASSIGNMENT, "--create", "--force", *no_proof(is_stock))
    return read_ours(root / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"), course


def no_proof(is_stock: bool) -> list[str]:
    """The option that skips the proof, where there is one."""
    return [] if is_stock else ["--Stepgrade.prove_before_release=False"]


# ------------------------------------------------------------------------------------------------------------- timing


@dataclass
class Cost:
    """What a run cost."""

    seconds: float = 0.0  # all of it
    each: float = 0.0  # per submission, all of it
    steady: float = 0.0  # per submission, after set-up
    pages: float = 0.0  # per page of feedback
    regrade: float = 0.0  # for the class
    mib: float = 0.0  # at most
    spent: dict[str, float] = field(default_factory=dict)


def time_stock(root: Path, options: argparse.Namespace) -> Cost:
    """Stock `nbgrader autograde` on a sample; the command's own start is taken off."""
    build(root, options.stock, options.plots, is_stock=True)
    began = time.perf_counter()
    run_nbgrader(root, "autograde", "--help")
    start = time.perf_counter() - began
    began = time.perf_counter()
    run_nbgrader(root, "autograde", ASSIGNMENT)
    cost = Cost(seconds=time.perf_counter() - began)
    cost.each = cost.steady = (cost.seconds - start) / options.stock
    if options.feedback:
        began = time.perf_counter()
        run_nbgrader(root, "generate_feedback", ASSIGNMENT)
        cost.pages = (time.perf_counter() - began - start) / options.stock
    return cost


def time_ours(root: Path, size: int, options: argparse.Namespace) -> Cost:
    """`stepgrade autograde` on the whole class, and what else is asked for."""
    build(root, size, options.plots, is_stock=False)
    cost = Cost()
    jobs = ["--jobs", str(options.jobs)] if options.jobs else []
    with Watch() as watch:
        began = time.perf_counter()
        moments, end = follow(root, "autograde", ASSIGNMENT, "--json", *jobs)
        cost.seconds = time.perf_counter() - began
    cost.each = cost.seconds / size
    # They are told of as they are saved, many at a time: from the end of one such time to the end of the last.
    ends = [n for n in range(min(WARM, size // 2), size) if moments[n + 1] - moments[n] > 0.1]
    cost.steady = (moments[-1] - moments[ends[0]]) / (size - ends[0])
    cost.mib, cost.spent = watch.most_mib, {**end["spent"], **watch.seconds}
    if options.feedback:
        began = time.perf_counter()
        follow(root, "autograde", ASSIGNMENT, "--json", "--feedback", *jobs)
        cost.pages = (time.perf_counter() - began) / size
    if options.regrade:
        began = time.perf_counter()
        follow(root, "regrade", ASSIGNMENT, "--json", *jobs)
        cost.regrade = time.perf_counter() - began
    return cost


def follow(root: Path, *words: str, took: dict[str, float] | None = None) -> tuple[list[float], dict[str, Any]]:
    """Run a command; when each submission was done, and its last word; `took` is told the seconds of each student."""
    command = [STEPGRADE, *words, "--course", str(root)]
    moments, last = [time.perf_counter()], {}
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last = json.loads(line)
            if last.get("event") == "done":
                moments.append(time.perf_counter())
                (took if took is not None else {})[last["student"]] = last["seconds"]
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return moments, last


class Watch:
    """Looks at the process tree below this one: memory, and where processor time goes."""

    def __init__(self) -> None:
        self.most_mib = 0.0
        self.seconds: dict[str, float] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        seen: dict[int, tuple[str, float]] = {}
        number = 0
        while not self._is_over.wait(1.0):
            total, number = 0.0, number + 1
            # A student's time counts with its parent's once it has ended.
            seen = {pid: (kind, used) for pid, (kind, used) in seen.items() if kind != "kernels"}
            for process in psutil.Process().children(recursive=True):
                try:
                    total += pss_mib(process.pid) if number % MEMORY_EVERY == 0 else 0.0
                    kind, used = kind_of(process), process.cpu_times()
                except (OSError, psutil.Error):
                    continue
                own = used.user + used.system
                below = used.children_user + used.children_system if kind == "kernels" else 0.0
                seen[process.pid] = (kind, own + below)
            self.most_mib = max(self.most_mib, total)
            now: Counter[str] = Counter()
            for kind, seconds in seen.values():
                now[kind] += seconds
            self.seconds = {kind: max(now[kind], self.seconds.get(kind, 0.0)) for kind in {*now, *self.seconds}}


def pss_mib(pid: int) -> float:
    """Proportional set size of a process, in MiB."""
    with Path(f"/proc/{pid}/smaps_rollup").open() as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024


def kind_of(process: psutil.Process) -> str:
    """What a process of ours does."""
    words = process.cmdline()
    if "stepgrade.desks" in words:
        return "desk: read, judge, write files"
    if "autograde" in words:
        return "writer: gradebook, folders"
    return "kernels"


# --------------------------------------------------------------------------------------------- a class as classes are

SHARES = {"right": 0.70, "wrong": 0.25, "endless": 0.03, "mangled": 0.02}
ENDLESS = {  # by exercise: each has the loop without end that comes to mind there
    "gradient-descent": """def gradient_descent(f, x0, lr, iterations):
    x, trajectory = torch.tensor([float(x0)], requires_grad=True), []
    while len(trajectory) <= iterations or x.item() != 0:
        y = f(x)
        y.backward()
        x.data = x.data - lr * x.grad
        x.grad = None
    return trajectory
""",
    "optimizer": """def use_optimizer(f, x0, lr, momentum, iterations):
    step = 0
    while step < iterations:
        pass
""",
    "scheduler": """def use_scheduler(f, x0, lr, gamma, iterations):
    trajectory, rate = [], lr
    while rate > 0:
        trajectory.append((f(torch.tensor([float(x0)])).item(), rate))
        rate = lr * gamma
    return trajectory
""",
}


def kinds_of(size: int) -> list[str]:
    """What each student of a class hands in, mixed evenly."""
    kinds = [kind for kind, share in SHARES.items() for _ in range(round(size * share))]
    kinds += ["right"] * (size - len(kinds))
    step = next(step for step in range(size * 5 // 8, size) if math.gcd(step, size) == 1)
    return [kinds[n * step % size] for n in range(size)]


def hand_in_real(root: Path, kinds: Sequence[str], release: Any, course: Course) -> dict[str, str]:
    """Hand in a class; the kind of each student."""
    right, wrong = solutions(PROJECT), in_turn(wrong_answers(course, ASSIGNMENT))
    number: Counter[str] = Counter()
    students = {}
    for n, kind in enumerate(kinds):
        at, number[kind] = number[kind], number[kind] + 1
        student = f"s{n:05}"
        students[student] = kind
        programs = dict(right)
        if kind == "wrong":
            programs = wrong[at % len(wrong)]
        elif kind == "endless":
            exercise = EXERCISES[at % len(EXERCISES)]
            programs[exercise] = ENDLESS[exercise]
        nb = answered(release, programs, n)
        if kind == "mangled" and at % 2:
            nb.cells = [cell for cell in nb.cells if not cell.metadata.get("nbgrader", {}).get("grade")]
        hand_in(root, student, nbformat.writes(nb)[:5000] if kind == "mangled" and not at % 2 else nb)
    return students


def compare_real(root: Path, options: argparse.Namespace) -> None:
    """Grade a class that is all right and one as classes are, and print what each kind costs; stock nbgrader beside."""
    size = options.sizes[0]
    seconds, each = {}, {}
    for name, kinds in (("all right", ["right"] * size), ("real", kinds_of(size))):
        place = root / name.replace(" ", "-")
        release, course = build_course(place, options.plots, is_stock=False)
        students = hand_in_real(place, kinds, release, course)
        took: dict[str, float] = {}
        began = time.perf_counter()
        follow(place, "autograde", ASSIGNMENT, "--json", took=took)
        seconds[name] = time.perf_counter() - began
        each = {kind: [took[s] for s, of in students.items() if of == kind] for kind in SHARES}
    print(f"{size} submissions on {os.cpu_count()} cores: all right {seconds['all right']:.1f} s,", end=" ")
    print(f"as classes are {seconds['real']:.1f} s: {seconds['real'] / seconds['all right']:.2f} times as long")
    stock = time_stock_kinds(root / "stock", options) if options.stock else {}
    for kind, found in each.items():
        line = f"    {kind:8} {len(found):4}: {sum(found) / len(found):7.3f} s each, at most {max(found):6.3f} s"
        print(line + (f"; stock nbgrader {stock[kind]:6.1f} s" if stock else ""))
    if stock:
        mean = sum(share * stock[kind] for kind, share in SHARES.items())
        print(f"    stock nbgrader: {mean:.2f} s each: {mean * size / seconds['real']:.0f} times as long")


def time_stock_kinds(root: Path, options: argparse.Namespace) -> dict[str, float]:
    """Seconds of stock nbgrader for one submission of each kind; its start is taken off."""
    release, course = build_course(root, options.plots, is_stock=True)
    config = root / "course_config.py"
    config.write_text(config.read_text().replace("timeout = 600", "timeout = 30"))  # nbgrader's own
    students = hand_in_real(root, list(SHARES), release, course)
    began = time.perf_counter()
    run_nbgrader(root, "autograde", "--help")
    start = time.perf_counter() - began
    took = {}
    for student, kind in students.items():
        began = time.perf_counter()
        with suppress(CourseError):  # it does not grade what is mangled
            run_nbgrader(root, "autograde", ASSIGNMENT, f"--student={student}")
        took[kind] = max(0.0, time.perf_counter() - began - start)
    return took


def tell(size: int, ours: Cost, stock: Cost | None) -> None:
    """Print one size."""
    print(f"{size} submissions: {ours.seconds:.1f} s, {ours.each * 1000:.0f} ms each", end="")
    print(f", {ours.steady * 1000:.0f} ms after set-up; at most {ours.mib:.0f} MiB; {os.cpu_count()} cores")
    total = sum(seconds for name, seconds in ours.spent.items() if " " in name or name == "kernels")
    for name, seconds in sorted(ours.spent.items(), key=lambda item: -item[1]):
        if seconds:
            print(f"    {name:32} {seconds:8.1f} s of processor time {seconds / max(total, 1e-9):6.1%}")
    if stock is not None:
        print(f"    stock nbgrader: {stock.each:.2f} s each: {stock.each / ours.each:.0f} times as long")
        if ours.pages:
            print(
                f"    feedback: {ours.pages * 1000:.0f} ms a page, stock {stock.pages * 1000:.0f} ms: "
                f"{stock.pages / ours.pages:.1f} times as long"
            )
    if ours.regrade:
        print(f"    regrade: {ours.regrade:.1f} s for all")


if __name__ == "__main__":
    main()

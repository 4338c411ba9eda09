"""How fast a submission is: the warm kernel against stock nbgrader, and against a plain fork.

    python benchmarks/kernel.py [--submissions 40] [--rounds 20]

One run, one process at a time, the same submissions on both sides, taken in turns, so that the ratios hold on a busy
machine too. Three comparisons, each without and with the lesson's live plots:

    stock nbgrader  `nbgrader autograde` with nbgrader's own `Execute` · with ours (checks, diagnosis and feedback too)
    plain fork      a warm process that forks, `run_cell`s, sends JSON and exits · our kernel, walls and all
    memory          private memory of one student process at its end

Live plots against stock nbgrader are measured twice. "plots": as they are, which see that nobody watches and draw one
picture at the end, on both sides. "delays": the stock side draws every step and waits as the lesson does, as live plots
do that know nothing of graders; our side is the same as before.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1]
sys.path[0] = str(FOLDER)

import nbformat  # noqa: E402 -- the path comes first

from stepgrade.classroom import copy_course, run_nbgrader, watch_live_plots  # noqa: E402
from stepgrade.course import find_course  # noqa: E402
from stepgrade.grade import open_kernels  # noqa: E402
from stepgrade.kernels.interface import Provisioner  # noqa: E402
from stepgrade.records import Limits  # noqa: E402

ASSIGNMENT = "optimization"
WANTED = {"stock": 15.0, "fork": 1.5, "memory": 40.0}  # times faster; times as long; MB
STOCK = """
c = get_config()
c.CourseDirectory.course_id = "stock"
c.CourseDirectory.db_url = "sqlite:///gradebook.db"
"""
PLAIN_FORK = """
import base64, gc, json, os, sys, time
import torch
torch.set_num_threads(1)
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

sys.path.insert(0, "")
shell = InteractiveShell.instance()
shell.history_manager.enabled = False
cells = json.loads(sys.argv[1])

def run_all():
    results = []
    for cell in cells:
        with capture_output() as captured:
            shell.run_cell(cell)
        shown = [{m: v if isinstance(v, str) else base64.b64encode(v).decode() for m, v in o.data.items()}
                 for o in captured.outputs]
        results.append({"stdout": captured.stdout, "stderr": captured.stderr, "outputs": shown})
    return results

def once():
    reader, writer = os.pipe()
    if os.fork() == 0:
        with os.fdopen(writer, "w") as file:
            json.dump(run_all(), file)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        json.load(file)
    os.wait()

run_all()
sys.modules.pop("live_plot", None)
shell.reset()
gc.collect()
gc.freeze()
print("ready", flush=True)
for line in sys.stdin:
    began = time.perf_counter()
    once()
    print(time.perf_counter() - began, flush=True)
"""


def solution(with_plots: bool) -> Any:
    """The instructor's notebook, handed in as it is or without what draws."""
    nb = nbformat.read(FOLDER / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    if not with_plots:
        drawing = ("live_plot", "surfaces", "paths", "plt.")
        nb.cells = [c for c in nb.cells if "nbgrader" in c.metadata or not any(word in c.source for word in drawing)]
        imports = nbformat.v4.new_code_cell("import matplotlib.pyplot as plt\nimport torch\nfrom torch import optim")
        nb.cells.insert(0, imports)
    return nb


def make_course(root: Path, notebooks: dict[str, Any], is_stock: bool, has_delays: bool = False) -> None:
    """A throw-away course with the submissions handed in."""
    copy_course(find_course(FOLDER), root)
    if has_delays:
        watch_live_plots(root, ASSIGNMENT)
    shutil.rmtree(root / "release", ignore_errors=True)
    if is_stock:
        (root / "nbgrader_config.py").write_text(STOCK)
    words = [] if is_stock else ["--Stepgrade.prove_before_release=False"]
    run_nbgrader(root, "generate_assignment", ASSIGNMENT, "--create", "--force", *words)
    for student, nb in notebooks.items():
        folder = root / "submitted" / student / ASSIGNMENT
        folder.mkdir(parents=True)
        nbformat.write(nb, folder / f"{ASSIGNMENT}.ipynb")


def seconds(action: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def per_submission(root: Path, students: list[str]) -> float:
    """Seconds that one more submission costs: all of them, less one alone, which pays for every start."""
    one = seconds(lambda: run_nbgrader(root, "autograde", ASSIGNMENT, "--force", "--student", students[0]))
    everybody = seconds(lambda: run_nbgrader(root, "autograde", ASSIGNMENT, "--force"))
    return (everybody - one) / (len(students) - 1)


def against_stock(with_plots: bool, count: int, folder: Path) -> list[float]:
    """Times faster than stock nbgrader; with plots twice, without and with the lesson's delays."""
    nb = solution(with_plots)
    few = {f"student-{number}": copy.deepcopy(nb) for number in range(3)}
    many = {f"student-{number:02}": copy.deepcopy(nb) for number in range(max(count, 3))}
    make_course(folder / f"ours-{with_plots}", many, is_stock=False)
    ours = per_submission(folder / f"ours-{with_plots}", sorted(many))
    ratios = []
    for name in ("plots", "delays") if with_plots else ("bare",):
        make_course(folder / f"stock-{name}", few, is_stock=True, has_delays=name == "delays")
        stock = per_submission(folder / f"stock-{name}", sorted(few))
        ratios.append(stock / ours)
        print(
            f"nbgrader autograde, {name:6} stock {stock:6.2f} s   ours {ours:6.3f} s   {ratios[-1]:5.1f} times faster"
        )
    return ratios


def against_fork(with_plots: bool, rounds: int, folder: Path) -> tuple[float, float]:
    """Times as long as a plain fork, and the private memory of a student process in MB."""
    cells = [cell.source for cell in solution(with_plots).cells if cell.cell_type == "code"]
    files = folder / f"files-{with_plots}"
    files.mkdir()
    shutil.copy(FOLDER / "live_plot.py", files)
    inline = "module://matplotlib_inline.backend_inline"
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1", "NBGRADER_EXECUTION": "autograde", "MPLBACKEND": inline}
    words = [sys.executable, "-B", "-c", PLAIN_FORK, json.dumps(cells)]
    plain, ours, private = [], [], 0
    with (
        subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=files, env=surroundings
        ) as twin,
        closing(open_kernels(find_course(FOLDER), ASSIGNMENT)) as provisioner,
    ):
        assert twin.stdin is not None and twin.stdout is not None
        while twin.stdout.readline() != "ready\n":
            pass
        private = run_ours(provisioner, cells, files, measure=True)
        for _ in range(rounds):
            print("go", file=twin.stdin, flush=True)
            plain.append(float(twin.stdout.readline()))
            ours.append(seconds(lambda: run_ours(provisioner, cells, files)))
        twin.stdin.close()
    a, b = statistics.median(plain), statistics.median(ours)
    name = "plots" if with_plots else "bare"
    print(
        f"one submission, {name:5}      fork {a * 1000:6.1f} ms  ours {b * 1000:6.1f} ms  {b / a:5.2f} times as long",
        end="",
    )
    print(f"   private memory {private / 1000:.1f} MB")
    return b / a, private / 1000


def run_ours(provisioner: Provisioner, cells: list[str], files: Path, measure: bool = False) -> int:
    """Start, run all cells, end; with `measure`, the private KiB at the end."""
    with provisioner.start(files, Limits()) as kernel:
        for cell in cells:
            assert kernel.run_cell(cell).is_alive
        if not measure:
            return 0
        lines = "[l.split()[1] for l in open('/proc/self/smaps_rollup') if l.startswith('Private')]"
        result = kernel.run_cell(f"print(sum(int(n) for n in {lines}))")
        return int(result.outputs[0]["text"])


def main() -> None:
    """Measure, print, and fail where a wanted figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submissions", type=int, default=40, help="ours; stock nbgrader grades three of them")
    parser.add_argument("--rounds", type=int, default=20, help="of the comparison with a plain fork")
    words = parser.parse_args()
    missed = []
    with tempfile.TemporaryDirectory(prefix="stepgrade-benchmark-") as name:
        for with_plots in (False, True):
            ratio, private = against_fork(with_plots, words.rounds, Path(name))
            faster = against_stock(with_plots, words.submissions, Path(name))
            missed += [f"{ratio:.2f} times a plain fork"] if ratio > WANTED["fork"] else []
            missed += [f"{private:.0f} MB"] if private > WANTED["memory"] else []
            wanted = faster[-1]  # where there are delays, with them
            missed += [f"{wanted:.1f} times faster than stock"] if wanted < WANTED["stock"] else []
    if missed:
        sys.exit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()

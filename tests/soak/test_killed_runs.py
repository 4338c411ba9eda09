"""A run over a whole class, killed again and again at random moments, ends like one that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from classes import ASSIGNMENT, STEPGRADE, assert_same_folders, copy_of, hand_in_class, rows, run

NUM_STUDENTS = 300
NUM_KILLS = 50
LONGEST_SECONDS = 6.0  # from the first submission's end to the kill
EARLY = 0.2  # of the kills come before, while the run opens


@pytest.mark.soak
def test_fifty_kills_change_nothing(generated: Path, tmp_path: Path) -> None:
    root = copy_of(generated, tmp_path / "killed")
    hand_in_class(root, NUM_STUDENTS)
    calm = copy_of(root, tmp_path / "calm")
    run(calm, "autograde", ASSIGNMENT)
    chance = random.Random(5)
    kills = 0
    while kills < NUM_KILLS:
        command = [STEPGRADE, "autograde", ASSIGNMENT, "--json", "--course", str(root)]
        words = [*command, "--force"] if num_graded(root) == NUM_STUDENTS else command
        process = subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert process.stdout is not None
        if chance.random() > EARLY:
            next((line for line in process.stdout if '"event": "done"' in line), None)
        time.sleep(chance.uniform(0.0, LONGEST_SECONDS))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.stdout.close()
        process.wait()
        print(f"kill {kills}: {num_graded(root)} of {NUM_STUDENTS} are graded")
    run(root, "autograde", ASSIGNMENT)
    assert rows(root) == rows(calm)
    assert_same_folders(root / "autograded", calm / "autograded")
    assert [path.name for path in (root / "autograded" / ".stepgrade").iterdir()] == ["lock"]


def num_graded(root: Path) -> int:
    """How many folders are in place."""
    return sum(1 for _ in (root / "autograded").glob(f"*/{ASSIGNMENT}"))

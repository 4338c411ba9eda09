"""The steps of nbgrader's autograding: which have a twin, which are used as they are, which are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nbgrader.preprocessors import AssignLatePenalties, GetGrades, OverwriteKernelspec, SaveAutoGrades
from traitlets.config import Config

from stepgrade.converter import Converter, open_coursedir, refuse_unknown_steps
from stepgrade.course import find_course, load_config
from stepgrade.errors import CourseError

PROJECT = Path(__file__).resolve().parents[2]


def converter(config: Config) -> Any:
    nothing: Any = None
    coursedir = open_coursedir(find_course(PROJECT), "optimization", config)
    return Converter(coursedir, nothing, nothing, nothing)


@pytest.fixture
def config() -> Config:
    """The project's own."""
    return load_config(PROJECT)


def test_steps_that_open_the_gradebook_have_twins(config: Config) -> None:
    ours = converter(config)
    steps = [*ours._sanitizing_steps, *ours._grading_steps]
    assert {ours._restore, ours._overwrite_kernelspec, ours._check_metadata, ours._grade} <= set(steps)
    assert not [s for s in steps if type(s).__name__ in ("OverwriteKernelspec", "OverwriteCells", "SaveVerdicts")]


def test_class_that_has_moved_keeps_its_twin(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OverwriteKernelspec, "__module__", "nbgrader.steps.kernelspec")
    ours = converter(config)
    assert ours._overwrite_kernelspec in ours._sanitizing_steps


def test_late_penalty_of_the_courses_own_is_the_writers(config: Config) -> None:
    class Gentle(AssignLatePenalties):  # type: ignore[misc]
        pass

    config.Autograde.autograde_preprocessors = [*config.Autograde.autograde_preprocessors, Gentle]
    assert not [step for step in converter(config)._grading_steps if isinstance(step, AssignLatePenalties)]


@pytest.mark.parametrize("step", ["nbgrader.preprocessors.GetGrades", SaveAutoGrades])
def test_unknown_step_is_refused_before_anything_is_graded(config: Config, step: Any) -> None:
    refuse_unknown_steps(config)
    config.Autograde.sanitize_preprocessors = [*config.Autograde.sanitize_preprocessors, step]
    with pytest.raises(CourseError, match=r"nbgrader\.preprocessors\..* is a step that .* does not know"):
        refuse_unknown_steps(config)
    with pytest.raises(CourseError):
        converter(config)


def test_step_of_the_courses_own_is_used_as_it_is(config: Config) -> None:
    class Own(GetGrades):  # type: ignore[misc]
        pass

    config.Autograde.autograde_preprocessors = [*config.Autograde.autograde_preprocessors, Own]
    refuse_unknown_steps(config)
    assert isinstance(converter(config)._grading_steps[-1], Own)


def test_command_says_what_to_do(classroom: Any) -> None:
    """The whole way: a message, no traceback, no submission that failed."""
    import subprocess
    import sys

    classroom.hand_in("student-01", "{}")
    with (classroom.root / "course_config.py").open("a") as file:
        file.write('\nc.Autograde.sanitize_preprocessors += ["nbgrader.preprocessors.GetGrades"]\n')
    words = [str(Path(sys.executable).with_name("stepgrade")), "autograde", "optimization"]
    done = subprocess.run(words, cwd=classroom.root, capture_output=True, text=True, timeout=300)
    assert done.returncode != 0
    assert "course_config.py" in done.stdout + done.stderr and "Traceback" not in done.stdout + done.stderr
    assert not (classroom.root / "autograded" / "student-01").exists()

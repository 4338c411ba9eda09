"""The command `stepgrade`. Knows words on a command line; every command is one call into a room."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from stepgrade.desks import do_without_iris
from stepgrade.errors import StepgradeError
from stepgrade.quoting import without_orders

app = typer.Typer(
    help="Grades notebooks that walk a trajectory, step by step, and proves assignments before their release.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _refuse_path(context: typer.Context, parameter: typer.CallbackParam, name: str | None) -> str | None:
    """Names lead to folders: one that leads elsewhere is refused before anything is touched."""
    from stepgrade.course import refuse_path

    if name is not None and not context.resilient_parsing:
        refuse_path(name, str(parameter.name))
    return name


Assignment = Annotated[str, typer.Argument(help="The assignment, such as optimization.", callback=_refuse_path)]
Students = Annotated[str, typer.Option(help="Only students whose id matches this pattern.", callback=_refuse_path)]
CourseOption = Annotated[Path | None, typer.Option("--course", help="The course folder; else the nearest one above.")]


@app.callback()
def _callback() -> None:
    """Hold the commands together."""


@app.command()
def grade(
    file: Annotated[Path, typer.Argument(help="A notebook; it is only read.")],
    assignment: Annotated[
        str | None, typer.Option(help="Its assignment; else told from its name.", callback=_refuse_path)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    course: CourseOption = None,
) -> None:
    """Grade one notebook and print its feedback; nothing is written."""
    import json

    from stepgrade import grade as hall
    from stepgrade.course import find_course

    if not file.exists():
        raise StepgradeError(f"there is no file {file}")
    here = find_course(course)
    name = assignment or here.assignment_of(file)
    with hall.Grader(here, name) as grader:
        nb, report = hall.grade_file(here, file, name, grader)
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        typer.echo(hall.as_text(nb, report))
    if any(exercise.outcome == "errored" for exercise in report.exercises):
        raise typer.Exit(1)


@app.command()
def autograde(
    assignment: Assignment,
    jobs: Annotated[int | None, typer.Option(min=1, help="Cores to fill; else all there are.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Grade again what has not changed.")] = False,
    feedback: Annotated[bool, typer.Option("--feedback", help="Write everybody's feedback page too.")] = False,
    student: Students = "*",
    as_json: Annotated[bool, typer.Option("--json", help="Say what happens as one event of JSON a line.")] = False,
    course: CourseOption = None,
) -> None:
    """Grade a class as `nbgrader autograde` does, in parallel; run it again to go on after an interrupt."""
    from stepgrade.course import find_course
    from stepgrade.desks import Desks, num_cores

    here, cores = find_course(course), jobs or num_cores()
    with Desks(here.root, assignment, cores, has_kernels=True) as desks:  # they open while the rest is loaded
        from stepgrade import batch, progress

        wishes = batch.Wishes(cores, force, feedback, student)
        tally = batch.autograde(here, assignment, wishes, progress.open_voice(as_json), desks)
    raise typer.Exit(tally.exit_code)


@app.command()
def regrade(
    assignment: Assignment,
    apply: Annotated[bool, typer.Option("--apply", help="Write it; without, only show who would change.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Cores to fill; else all there are.")] = None,
    feedback: Annotated[bool, typer.Option("--feedback", help="With --apply: write new feedback pages too.")] = False,
    student: Students = "*",
    as_json: Annotated[bool, typer.Option("--json", help="Print the changes as JSON.")] = False,
    course: CourseOption = None,
) -> None:
    """Judge a graded class again after a check, tolerance or point value changed, without running student code."""
    from rich.console import Console

    from stepgrade.course import find_course
    from stepgrade.desks import Desks, num_cores

    here, cores = find_course(course), jobs or num_cores()
    with Desks(here.root, assignment, cores, has_kernels=False) as desks:  # they open while the rest is loaded
        from stepgrade import batch, progress
        from stepgrade import regrade as regrading

        wishes = batch.Wishes(cores, feedback=feedback and apply, students=student)
        voice = progress.Silent() if as_json else progress.open_voice(as_json=False)
        tally, changes = regrading.regrade(here, assignment, wishes, apply, voice, desks)
    if as_json:
        regrading.print_json(changes)
    else:
        regrading.show(changes, assignment, Console())
    raise typer.Exit(tally.exit_code)


@app.command()
def prove(
    assignment: Assignment,
    suggest: Annotated[bool, typer.Option(help="Search inputs that separate all mistakes best.")] = False,
    mutants: Annotated[
        bool, typer.Option(help="List what mutation makes of right answers, for mistakes.toml.")
    ] = False,
    course: CourseOption = None,
) -> None:
    """Prove that an assignment is fit for release: right answers earn everything, known mistakes are named."""
    from rich.console import Console

    from stepgrade.course import find_course
    from stepgrade.proofs import prove as proving

    here = find_course(course)
    console = Console()
    if suggest:
        typer.echo(proving.suggest(here, assignment))
        return
    if mutants:
        for exercise, operator, role, name, num, text in proving.list_all_mutants(here, assignment):
            typer.echo(f"{exercise}\t{operator}\t{role}\t{name or '-'}\t{num}\t{text}")
        return
    proof = proving.prove(here, assignment)
    proving.render(proof, console)
    if not proof.holds:
        raise typer.Exit(1)


@app.command()
def new(
    assignment: Assignment,
    exercises: Annotated[list[str], typer.Argument(metavar="EXERCISE…", help="Such as gradient-descent.")],
    course: CourseOption = None,
) -> None:
    """Write a new assignment that can be proven at once: a notebook and hidden checks, for you to fill."""
    from stepgrade.course import find_course
    from stepgrade.proofs import scaffold

    here = find_course(course)
    for file in scaffold.write_scaffold(here, assignment, exercises):
        typer.echo(file.relative_to(here.root))
    typer.echo(f"Next: stepgrade prove {assignment}. docs/write-an-assignment.md says what to put where.")


@app.command()
def show(
    assignment: Assignment,
    course: CourseOption = None,
) -> None:
    """Show the scores and outcomes of a graded class."""
    from rich.console import Console

    from stepgrade.classpage import report
    from stepgrade.course import find_course

    report.print_class(find_course(course), assignment, Console())


@app.command("report")
def class_page(
    assignment: Assignment,
    out: Annotated[Path | None, typer.Option(help="Where to write; else reports/<assignment>.html.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON instead of a page; to the terminal without --out.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A table instead of a page; likewise.")] = False,
    course: CourseOption = None,
) -> None:
    """Make the class page: scores, checks, mistakes, everybody's paths, what needs a look."""
    from stepgrade.classpage import export, overview, page
    from stepgrade.course import find_course

    if as_json and as_csv:
        raise StepgradeError("--json and --csv exclude each other: call twice")
    here = find_course(course)
    seen = overview.look_at_class(here, assignment)
    if as_json or as_csv:
        export.write(seen, "json" if as_json else "csv", out)
        return
    file = out or here.root / "reports" / f"{assignment}.html"
    page.write_page(seen, here, file)
    typer.echo(f"{len(seen.graded)} submissions: open {file} in a browser")


@app.command()
def comment(
    assignment: Assignment,
    cluster: Annotated[str, typer.Argument(help="A cluster of the class page, or EXERCISE/MISTAKE.")],
    text: Annotated[str, typer.Argument(help="What to say, as Markdown; added to what is there.")],
    only_look: Annotated[bool, typer.Option("--dry-run", help="Say who would get it; write nothing.")] = False,
    course: CourseOption = None,
) -> None:
    """Write one comment to all students of a cluster, into nbgrader's gradebook."""
    from stepgrade.classpage import comments, overview
    from stepgrade.course import find_course

    here = find_course(course)
    exercise, graded = overview.find_students(overview.look_at_class(here, assignment), cluster)
    written = comments.write_comment(here, assignment, exercise, graded, text, only_look)
    typer.echo(comments.describe(written, assignment, exercise, only_look))
    if written.missing:
        raise typer.Exit(1)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="A new folder, or one that an earlier demo made.")] = Path("demo"),
    course: CourseOption = None,
) -> None:
    """Grade an invented class through nbgrader, and show where to look."""
    from rich.console import Console

    from stepgrade import classroom
    from stepgrade.classpage import report
    from stepgrade.course import find_course

    here = find_course(course)
    assignment = here.assignments[0]
    console = Console()
    root = classroom.clear_demo(here, folder)
    console.print(f"Building and grading an invented class in {folder}/ …")
    graded = classroom.run_demo(here, root, assignment)
    report.print_class(graded, assignment, console)
    report.print_next_steps(graded, assignment, folder, console)


def main() -> None:
    """Run a command; what we raise on purpose becomes one line that says what to do."""
    do_without_iris()
    try:
        app()
    except StepgradeError as problem:
        print(f"stepgrade: {without_orders(str(problem))}", file=sys.stderr)
        sys.exit(2)

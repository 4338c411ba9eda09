"""The one file that an instructor edits. `nbgrader_config.py` loads it; nbgrader and stepgrade read it alike.

Every setting says what happens when it changes. The part at the end joins stepgrade to nbgrader: leave it as it is.
"""

import os

c = get_config()  # noqa: F821 -- nbgrader defines it

# ------------------------------------------------------------------------------------------------------- the course

# The course's name: part of every path in the exchange. Change it once, before the first release; afterwards students
# no longer find what was released under the old name.
c.CourseDirectory.course_id = "optimization-with-torch"

# Where nbgrader keeps grades. The default is a file in this folder; for a course with several graders name a server:
# "postgresql://user:password@localhost:5432/grades". A new address begins an empty gradebook; nothing is moved.
c.CourseDirectory.db_url = os.environ.get("STEPGRADE_DB_URL", "sqlite:///gradebook.db")

# The folder that instructor and students share, for release, fetch, submit and collect. Everybody must be able to
# write in it (mode 777 or 2777). A new folder is an empty exchange: release again.
c.Exchange.root = os.environ.get("STEPGRADE_EXCHANGE", "/usr/local/share/nbgrader/exchange")

# What stands in a student's YOUR TURN cell after the release. It must raise: a stub that returns something could earn
# points. Generate the assignment again after a change.
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError()"}

# Where the released notebook fetches live_plot.py when it is handed around alone (Colab, e-mail): an address such as
# "https://example.org/course/live_plot.py". Empty: the notebook says how to get the file; the graded exercises never
# need it. Generate and release the assignment again after a change.
c.Stepgrade.live_plot_url = ""

# Refuse `nbgrader generate_assignment` when the proof fails (a known mistake earns full points, a right answer does
# not, …). False releases unproven: nobody is warned then.
c.Stepgrade.prove_before_release = True

# ------------------------------------------------------------------------------------------------- running submissions

# Where student code runs. "warm": forked from a process that has torch loaded, in a sandbox; tens of milliseconds.
# "nbclient": an ordinary kernel, seconds, with the grader's own rights. "auto": warm where this machine can.
c.Stepgrade.kernel = "auto"

# True: refuse to grade where one of the sandbox's walls is missing (it is named, with what to install). False: grade
# all the same and say in the log which walls stood.
c.Stepgrade.require_protections = False

# A cell, or one call of a student's function, that takes more of the processor is interrupted, then killed; the other
# exercises are graded all the same. Each that was stopped halves it for those that follow: an endless notebook costs
# at most twice this. A call may always take 20 times as long as torch's own run, and call f 200 times as often, or
# 10,000 times. Less: endless loops cost less; slow honest code may be stopped.
c.Stepgrade.cpu_seconds = 5

# The same by the clock, for what waits without computing: a sleep, a read.
c.Stepgrade.seconds_per_cell = 30

# The same for a whole notebook.
c.Stepgrade.seconds_per_submission = 120

# Memory of one submission with all its processes, in MiB. torch itself needs about 400.
c.Stepgrade.memory_mib = 2048

# Processes and threads of one submission. Below 8, libraries that start threads fail.
c.Stepgrade.processes = 64

# Files that one submission may write, in MiB. They are gone when it is graded.
c.Stepgrade.disk_mib = 64

# Output of one cell and of one notebook, in MiB; what is beyond is cut while it comes. More makes larger pages.
c.Stepgrade.output_mib_per_cell = 1
c.Stepgrade.output_mib_per_notebook = 8

# How many seconds a run of stepgrade waits while another program (nbgrader, the formgrader, a backup) writes the
# gradebook. What is graded meanwhile is kept; after that long the run ends with a message, and the next one saves it.
c.Stepgrade.seconds_for_gradebook = 60

# ----------------------------------------------------------------------------------------------------------- feedback

# Whether feedback shows the numbers of hidden inputs where a gap shows only there. False: it says at which step the
# run left the path, without the inputs and values, so that they can be used again next year.
c.Stepgrade.show_hidden_numbers = True

# ----------------------------------------------------------------------------------------------------- LMS and lateness

# How `nbgrader zip_collect optimization` reads file names that an LMS gives. This one takes "student-01_optimization"
# and "student-01_attempt_2026-11-02-10-00-00_optimization". Names that do not match are listed and left where they are.
c.FileNameCollectorPlugin.named_regexp = (
    r".*?(?P<student_id>[A-Za-z0-9][A-Za-z0-9-]*)_(?:attempt_(?P<timestamp>[0-9-]+)_)?(?P<file_id>[A-Za-z0-9-]+)"
)

# What late work costs: "none" nothing, "zero" everything. Own rules: a subclass of
# nbgrader.plugins.latesubmission.LateSubmissionPlugin, named in c.AssignLatePenalties.plugin_class.
c.LateSubmissionPlugin.penalty_method = "none"

# ------------------------------------------------------------------------------ how stepgrade joins nbgrader: leave it

# Reports and answers stay with the grader: nbgrader would copy them from autograded/ into the students' feedback.
c.CourseDirectory.ignore = [
    *(".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback"),
    *("*.report.json", "*.answers.json"),
]

# A file that is no notebook, has another name or lacks cells is graded with a message instead of being dropped.
c.Autograde.exporter_class = "stepgrade.preprocessor.SubmissionExporter"
c.Autograde.sanitize_preprocessors = [
    "stepgrade.preprocessor.Restore",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# A page is not written where a student's name is a path: nbgrader would clear the folder it leads to.
c.GenerateFeedback.exporter_class = "stepgrade.preprocessor.FeedbackExporter"

# `Grade` stands where nbgrader has `Execute`: cells run in a kernel, hidden checks run here.
c.Autograde.autograde_preprocessors = [
    "stepgrade.preprocessor.Grade",
    "nbgrader.preprocessors.IgnorePattern",
    "nbgrader.preprocessors.LimitOutput",
    "stepgrade.preprocessor.SaveVerdicts",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# What students wrote as Markdown is cleaned as it is shown, in the formgrader and on the pages of feedback.
c.HTMLExporter.filters = {"markdown2html": "stepgrade.sanitize.CleanMarkdown"}

# Code is coloured as Python or not at all: other languages' colouring takes its time where a cell is made for that.
c.HighlightMagicsPreprocessor.enabled = False

# Feedback goes to everybody who handed in through the exchange; the others' pages are named in the log.
c.ExchangeFactory.release_feedback = "stepgrade.exchange.ReleaseFeedback"

# Settings are written into the notebook, and the assignment is proven, before it is released.
c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "stepgrade.preprocessor.FillSettings",
    "stepgrade.preprocessor.Prove",
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.ClearSolutions",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]

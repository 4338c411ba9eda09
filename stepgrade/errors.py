"""The exceptions of stepgrade, drawn in one place.

    StepgradeError                    something is wrong on our side or the instructor's
     ├─ CourseError                   course_config.py or the folder does not say what is needed
     ├─ ChecksError                   a hidden check cannot be collected or is broken itself
     ├─ NotebookError                 a notebook of ours cannot be used
     ├─ GradebookError                nbgrader's gradebook cannot be read or written
     │   └─ GradebookLocked           … while another program writes it
     ├─ KernelError                   the kernel or its walls failed (never the student's doing)
     └─ ProofError                    an assignment is not fit for release

A student's failure is never an exception here: it is a value (see `records.Outcome`).
This module knows nothing else of the package.
"""


class StepgradeError(Exception):
    """Base of everything that stepgrade raises on purpose; the message says what to do next."""


class CourseError(StepgradeError):
    """The course folder or its configuration cannot be used."""


class ChecksError(StepgradeError):
    """The hidden checks of an exercise cannot be collected or run."""


class NotebookError(StepgradeError):
    """A notebook of the instructor's cannot be read or lacks what the contract asks for."""


class GradebookError(StepgradeError):
    """The gradebook cannot be read or written."""


class GradebookLocked(GradebookError):
    """Another program is writing the gradebook; trying again helps."""


class KernelError(StepgradeError):
    """The kernel could not be started or kept; grading again may help."""


class ProofError(StepgradeError):
    """An assignment is not fit for release."""

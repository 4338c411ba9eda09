"""The sandbox around the warm parent: which walls this machine offers, and the command that builds them.

Knows bubblewrap, the folders that Python needs, and the names of the protections. Refuses to know cells and grades.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stepgrade.kernels import walls

HERE = Path(__file__).parent
INSIDE = "/run/kernel"  # where the files of the student's side lie in the sandbox
SCRIPTS = ("parent.py", "child.py", "calls.py", "walls.py", "wire.py")
WORK = "/submission"
FOREIGN_UID = 1_999_999_999  # a user that no machine has; where root starts us, the sandbox runs as this one

NAMESPACES = ("user namespace", "pid namespace", "mount namespace", "network namespace", "ipc namespace")
NESTS = ("pid, mount and ipc namespace per submission", "size-limited tmpfs", "memory limit of the process tree")
CAPABILITIES = ("SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE", "SETPCAP", "SETUID", "SETGID", "KILL")

WHAT_TO_DO = {
    **dict.fromkeys(
        (*NAMESPACES, *NESTS, "read-only system", "process limit"),
        "install bubblewrap (`apt install bubblewrap`) and allow user namespaces (sysctl "
        "kernel.unprivileged_userns_clone=1; on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0; "
        "in Docker --security-opt seccomp=unconfined)",
    ),
    "foreign user": "make Python and its packages readable for all users, or grade as an ordinary user",
    "Landlock": "boot a Linux 5.13 or newer with lsm=…,landlock",
    "seccomp": "use an x86_64 or aarch64 Linux with CONFIG_SECCOMP_FILTER",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to start the warm parent, and the walls that it has."""

    has_bubblewrap: bool  # and in it namespaces of its own for each submission
    has_foreign_user: bool
    landlock: int  # ABI version; 0: none
    has_seccomp: bool

    @property
    def protections(self) -> tuple[str, ...]:
        """The walls by name, strongest first."""
        names = [*NAMESPACES, "read-only system", *NESTS] if self.has_bubblewrap else []
        names += ["foreign user"] if self.has_foreign_user else []
        names += ["process limit"] if self._limits_processes else []
        names += [f"Landlock {self.landlock}"] if self.landlock else []
        names += ["seccomp"] if self.has_seccomp else []
        return (*names, "resource limits", "no new privileges", "scrubbed environment")

    @property
    def missing(self) -> tuple[str, ...]:
        """The walls that a better machine would add."""
        names = [] if self.has_bubblewrap else [*NAMESPACES, "read-only system", *NESTS]
        names += [] if self.has_foreign_user or os.geteuid() != 0 else ["foreign user"]
        names += [] if self._limits_processes else ["process limit"]
        names += [] if self.landlock else ["Landlock"]
        names += [] if self.has_seccomp else ["seccomp"]
        return tuple(names)

    @property
    def _limits_processes(self) -> bool:
        """The kernel counts per user namespace, and it does not count root."""
        return self.has_bubblewrap and (self.has_foreign_user or os.geteuid() != 0)


def plans() -> Iterator[Plan]:
    """The ways to start that this machine may allow, the safest first; only trying tells which of them works."""
    landlock, seccomp = walls.landlock_version(), walls.has_seccomp()
    if shutil.which("bwrap") and can_wrap():
        if os.geteuid() == 0:
            yield Plan(True, True, landlock, seccomp)
        yield Plan(True, False, landlock, seccomp)
    yield Plan(False, False, landlock, seccomp)


@cache
def can_wrap() -> bool:
    """Whether bubblewrap works here: it may be installed and forbidden."""
    command = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def command(plan: Plan, control_fd: int, *, info_fd: int = -1, block_fd: int = -1) -> list[str]:
    """The command line that starts the warm parent."""
    script = f"{INSIDE}/parent.py" if plan.has_bubblewrap else str(HERE / "parent.py")
    python = [sys.executable, "-s", "-X", "utf8", "-B", script, str(control_fd)]
    if not plan.has_bubblewrap:
        return python
    return ["bwrap", *_namespaces(plan, info_fd, block_fd), *_folders(), *_environment(environment()), "--", *python]


def _namespaces(plan: Plan, info_fd: int, block_fd: int) -> list[str]:
    words = ["--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    words += ["--unshare-cgroup-try", "--as-pid-1", "--new-session", "--hostname", "kernel", "--uid", "0", "--gid", "0"]
    words += ["--cap-drop", "ALL"]  # root would keep them all
    words += [word for name in CAPABILITIES for word in ("--cap-add", f"CAP_{name}")]
    if plan.has_foreign_user:
        words += ["--info-fd", str(info_fd), "--userns-block-fd", str(block_fd)]
    return words


def _folders() -> list[str]:
    """A root made of what Python needs, read-only, and of nothing else."""
    words: list[str] = []
    for folder in ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        path = Path(folder)
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), folder]
        elif path.is_dir():
            words += ["--ro-bind", folder, folder]
    for name in ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "fonts", "alternatives", "localtime", "mime.types"):
        words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    words += [
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--perms",
        "1777",
        "--tmpfs",
        "/tmp",
        "--tmpfs",
        "/run",
        "--dir",
        "/run/box",
        "--dir",
        WORK,
    ]
    words += [*_parents(home()), "--tmpfs", home()]
    for folder in hidden_folders():
        words += ["--tmpfs", folder]
    for folder in python_folders():
        words += [*_parents(folder), "--ro-bind", folder, folder]
    for folder, spare in _covered_folders():
        words += [*_parents(spare), "--ro-bind", folder, spare]
    for folder in _own_packages():
        words += ["--tmpfs", folder, "--remount-ro", folder]
    for script in SCRIPTS:
        words += [*_parents(f"{INSIDE}/{script}"), "--ro-bind", str(HERE / script), f"{INSIDE}/{script}"]
    for folder in (home(), "/run", "/dev", "/"):
        words += ["--remount-ro", folder]
    return [*words, "--chdir", "/"]


def _parents(folder: str) -> list[str]:
    """The folders above it; those that bubblewrap makes unasked are closed to all but root."""
    above = [str(parent) for parent in reversed(Path(folder).parents)][1:]
    return [word for parent in above for word in ("--dir", parent)]


def python_folders() -> list[str]:
    """Where the interpreter and its packages live, outermost first, each once."""
    folders = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix), Path(sys.base_exec_prefix)}
    folders |= {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib", "stdlib")}
    folders |= {folder.resolve() for folder in folders}
    found = sorted(folder for folder in folders if folder.is_dir() and not folder.is_relative_to("/usr"))
    return [str(f) for f in found if not any(f != other and f.is_relative_to(other) for other in found)]


def _covered_folders() -> list[tuple[str, str]]:
    """Folders of Python that a nest's own /tmp would cover, each with the place from which it is bound again."""
    covered = [folder for folder in python_folders() if Path(folder).is_relative_to("/tmp")]
    return [(folder, f"/run/python/{number}") for number, folder in enumerate(covered)]


def hidden_folders() -> list[str]:
    """The course folder, where it lies within something that the sandbox shows."""
    shown = [Path("/usr"), *map(Path, python_folders())]
    course = Path.cwd().resolve()
    return [str(course)] if any(course.is_relative_to(folder) and course != folder for folder in shown) else []


def _own_packages() -> list[str]:
    """Our own package where it is installed beside the student's: they need nothing of it."""
    package = HERE.parent
    return [str(package)] if any(package.is_relative_to(folder) for folder in python_folders()) else []


def home() -> str:
    """The user's home by name, so that a traceback shortens paths as it does in Jupyter; in the sandbox it is empty."""
    return str(Path("~").expanduser())


def environment() -> dict[str, str]:
    """All that the student's process knows of its surroundings."""
    return {
        "HOME": home(),
        "USER": "student",
        "LOGNAME": "student",
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": os.environ.get("TZ", ""),
        "NBGRADER_EXECUTION": "autograde",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": "/tmp/.matplotlib",
        "IPYTHONDIR": "/tmp/.ipython",
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    }


def _environment(variables: dict[str, str]) -> list[str]:
    return ["--clearenv", *(word for pair in variables.items() for word in ("--setenv", *pair))]


def options(plan: Plan) -> dict[str, object]:
    """What the warm parent is told at its start."""
    readable = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/proc", "/sys", *python_folders()]
    readable += ["/etc", home()] if plan.has_bubblewrap else ["/etc/ld.so.cache", "/etc/fonts", "/etc/localtime"]
    return {
        "nests": plan.has_bubblewrap,
        "uid": 1 if plan.has_foreign_user else None,
        "landlock": bool(plan.landlock),
        "seccomp": plan.has_seccomp,
        "readable": readable,
        "writable": [WORK, "/tmp", "/dev/shm"] if plan.has_bubblewrap else [],
        # not /dev/zero: what is mapped from it is shared memory that nobody counts
        "devices": ["/dev/null", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/pts"],
        "bind_again": _covered_folders(),
    }


def advice(missing: Sequence[str]) -> str:
    """What to do about missing walls."""
    lines = {WHAT_TO_DO[name] for name in missing if name in WHAT_TO_DO}
    return "; ".join(sorted(lines))

"""The walls one by one, each tried in a process of its own, and the command that builds the sandbox."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from stepgrade.kernels import parent, sandbox, walls, wire

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="walls are Linux's")


def refused(action: Callable[[], object]) -> bool:
    """Whether the kernel says no, politely."""
    try:
        action()
    except OSError as problem:
        return problem.errno in (errno.EPERM, errno.EACCES, errno.ENOSYS)
    return False


def libc_refuses(name: str, *arguments: object) -> bool:
    """The same for a function of the C library."""
    library = ctypes.CDLL(None, use_errno=True)
    return getattr(library, name)(*arguments) == -1 and ctypes.get_errno() in (errno.EPERM, errno.ENOSYS)


def behind_filter(check: Callable[[], bool]) -> bool:
    """The check's verdict in a process whose system calls are filtered."""

    def wall() -> None:
        walls.no_new_privileges()
        walls.seccomp(walls.seccomp_program())
        assert check()

    return walls.works(wall)


@pytest.mark.skipif(not walls.has_seccomp(), reason="needs seccomp")
@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"])
def test_filter_refuses_every_kind_of_socket(family: str) -> None:
    assert behind_filter(lambda: refused(lambda: socket.socket(getattr(socket, family))))


@pytest.mark.skipif(not walls.has_seccomp(), reason="needs seccomp")
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ptrace", (0, 0, 0, 0)),
        ("unshare", (walls.CLONE_NEWUSER,)),
        ("setns", (0, 0)),
        ("mount", (b"tmpfs", b"/tmp", b"tmpfs", 0, None)),
        ("umount2", (b"/tmp", 2)),
        ("chroot", (b"/tmp",)),
        ("process_vm_readv", (1, None, 0, None, 0, 0)),
        ("memfd_create", (b"x", 0)),
        ("shmget", (0, 4096, 0o1600)),
        ("sethostname", (b"x", 1)),
        ("personality", (0x40000,)),
    ],
)
def test_filter_refuses_what_no_notebook_needs(name: str, arguments: tuple[object, ...]) -> None:
    assert behind_filter(lambda: libc_refuses(name, *arguments))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86_64")
@pytest.mark.parametrize("number", [250, 248, 321, 298, 425, 435, 313, 438, 0x40000000 | 41])
def test_filter_refuses_by_number(number: int) -> None:
    assert behind_filter(lambda: libc_refuses("syscall", number, 0, 0, 0, 0, 0))


@pytest.mark.skipif(not walls.has_seccomp(), reason="needs seccomp")
def test_filter_lets_honest_code_pass() -> None:
    def honest() -> bool:
        import threading

        thread = threading.Thread(target=os.getpid)
        thread.start()
        thread.join()
        done = subprocess.run(["echo", "hi"], capture_output=True, check=True)
        return done.stdout == b"hi\n" and os.fork() >= 0

    assert behind_filter(honest)


@pytest.mark.skipif(not walls.landlock_version(), reason="needs Landlock")
def test_landlock_leaves_only_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("secret")

    def wall() -> None:
        walls.no_new_privileges()
        walls.landlock(["/usr", "/proc"], [str(tmp_path / "mine")], ["/dev/null"])
        (tmp_path / "mine" / "file").write_text("x")
        Path("/dev/null").write_text("x")
        assert refused(lambda: (tmp_path / "other" / "file").read_text())
        assert refused(lambda: (tmp_path / "other" / "new").write_text("x"))
        assert refused(lambda: (tmp_path / "mine" / "file").rename(tmp_path / "other" / "moved"))
        assert refused(lambda: os.mkfifo(tmp_path / "fifo"))

    assert walls.works(wall)


def test_capabilities_are_gone_for_good() -> None:
    def wall() -> None:
        walls.drop_capabilities()
        status = Path("/proc/self/status").read_text()
        held = [line.split()[1] for line in status.splitlines() if line.startswith(("CapPrm", "CapEff", "CapAmb"))]
        assert {int(bits, 16) for bits in held} == {0}

    assert walls.works(wall)


def test_limits_count_from_what_the_process_holds() -> None:
    def wall() -> None:
        walls.set_limits(memory_mib=64, disk_mib=1, processes=None)
        bytearray(32 << 20)
        with pytest.raises(MemoryError):
            bytearray(256 << 20)
        with (
            pytest.raises(OSError, match="too large"),
            Path("/tmp", f"stepgrade-limit-{os.getpid()}").open("wb") as file,
        ):
            Path(file.name).unlink()
            file.write(b"x" * (2 << 20))
            file.flush()

    assert walls.works(wall)


def test_closing_keeps_what_is_named() -> None:
    def wall() -> None:
        walls.close_all_but([0, 1, 2])
        assert os.fstat(2)
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(3)

    assert walls.works(wall)


def test_program_is_classic_bpf_that_ends_in_a_verdict() -> None:
    program = walls.seccomp_program()
    code, _, _, value = struct.unpack("=HBBI", program[-8:])
    assert len(program) % 8 == 0
    assert (code, value) == (6, 0x7FFF0000)


def test_command_shows_python_and_hides_the_course() -> None:
    plan = sandbox.Plan(True, False, 7, True)
    words = sandbox.command(plan, control_fd=5)
    shown = [words[n + 1] for n, word in enumerate(words) if word in ("--ro-bind", "--bind")]
    course = Path(__file__).resolve().parents[2]
    assert sys.prefix in shown
    assert not [place for place in shown if course.is_relative_to(place)]
    assert not [place for place in shown if Path(place).is_relative_to(course / "tests")]
    assert "--clearenv" in words
    assert "--bind" not in words


def test_environment_holds_nothing_of_the_graders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_GRADER", "value")
    assert "value" not in sandbox.environment().values()


def test_course_inside_a_shown_folder_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox.Path, "cwd", classmethod(lambda cls: Path("/usr/share")))
    assert sandbox.hidden_folders() == ["/usr/share"]


def test_plan_names_its_walls_and_what_is_missing() -> None:
    full, bare = sandbox.Plan(True, True, 7, True), sandbox.Plan(False, False, 0, False)
    assert full.missing == ()
    assert set(bare.missing) >= {"user namespace", "Landlock", "seccomp", "read-only system"}
    assert "bubblewrap" in sandbox.advice(bare.missing)


def test_frames_come_out_as_they_went_in() -> None:
    reader, writer = os.pipe()
    message = {"source": "print('größe \ud83d')", "id": 1}
    wire.write_all(writer, wire.pack(message))
    os.close(writer)
    assert wire.read_message(reader) == message
    assert wire.read_message(reader) is None
    os.close(reader)


def test_frame_that_is_nested_too_deeply_is_no_message() -> None:
    with pytest.raises(ValueError, match="deeply"):
        wire.unpack(b"[" * 200_000)


def test_python_under_tmp_is_bound_from_a_place_that_everybody_may_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A submission's own /tmp covers it, and folders that bubblewrap makes unasked are closed to all but root."""
    monkeypatch.setattr(sandbox, "python_folders", lambda: ["/tmp/clone/.venv"])
    words = sandbox._folders()
    bound = words.index("/run/python/0")
    assert words[bound - 2 : bound] == ["--ro-bind", "/tmp/clone/.venv"]
    assert ("--dir", "/run/python") in pairwise(words[:bound])


@pytest.mark.parametrize(("said", "told"), [("ok", "ok"), ("", ""), ("error no\nspace", "error no; space")])
def test_a_nursery_that_ends_while_it_makes_namespaces_is_told_as_such(said: str, told: str) -> None:
    """Process 1 says "ok", the nursery its number: it may end between the two."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def end_early() -> None:
        _, fds, _, _ = socket.recv_fds(theirs, 1 << 16, 3)
        os.write(fds[0], said.encode())
        for fd in fds:
            os.close(fd)

    waiting = parent.Parent.__new__(parent.Parent)
    waiting._nursery, waiting._inherited_kib, waiting._options = ours, 0, {"bind_again": []}
    nest = parent.Nest({"disk_mib": 1, "memory_mib": 1, "processes": 1})
    with ThreadPoolExecutor(1) as pool, ours, theirs:
        ended = pool.submit(end_early)
        with pytest.raises(OSError, match=f"^no namespaces for the submission: {told}$"):
            waiting._settle(nest)
        ended.result()
    os.close(nest.alarm)
    os.close(nest.go)

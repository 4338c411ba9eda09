"""The warm parent: imports everything once, inside the sandbox, and forks one student process per submission.

Three kinds of processes live here:

    parent     big and warm; forks the students, tells the grading process when they end; process 1 of the sandbox,
               so that nothing outlives it
    nursery    small, forked before anything was imported; makes a nest of namespaces for each student
    init       one per nest: process 1 of it, mounts its folders, watches its memory; its end ends all in the nest

Knows the order in which a student process is walled in. Refuses to know cells, outputs and grades, and holds no path of
the course. Runs as a script inside the sandbox and imports nothing of ours but the files that lie beside it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import selectors
import signal
import socket
import sys
import time
import types
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WATCH_SECONDS = 0.05  # between two looks at a student's memory
TOLD_KIB = 1024  # a larger peak is told when it is larger by this and a twentieth
BOX = "/run/box"  # where a nest's size-limited tmpfs is mounted before its parts are bound to their places
WORK = "/submission"
STOP_SECONDS = 10


def load(name: str) -> Any:
    """A module that lies beside this file, under a name that no student's import finds."""
    spec = importlib.util.spec_from_file_location(f"_stepgrade_{name}", HERE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


walls = load("walls")
wire = load("wire")


# -------------------------------------------------------------------------------------------------------------- nursery


def serve_nursery(requests: socket.socket) -> None:
    """Make a nest for each request until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # an init that has ended is reaped by the kernel
    own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY)
    while True:
        data, fds, _, _ = socket.recv_fds(requests, 1 << 16, 3)
        if not data:
            os._exit(0)
        try:
            walls.unshare(walls.CLONE_NEWPID)  # for the children that follow
            try:
                pid = os.fork()
                if pid == 0:
                    _begin_init(requests, json.loads(data), *fds)
            finally:
                walls.setns(own_pids, walls.CLONE_NEWPID)
            os.write(fds[0], b"pid %d\n" % pid)
        except OSError as problem:
            os.write(fds[0], f"error {problem}\n".encode())
        for fd in fds:
            os.close(fd)


def _begin_init(requests: socket.socket, request: dict[str, Any], ready: int, alarm: int, go: int) -> None:
    """Never returns."""
    try:
        requests.close()
        _be_init(request, ready, alarm, go)
    finally:
        os._exit(1)


def _be_init(request: dict[str, Any], ready: int, alarm: int, go: int) -> None:
    """Process 1 of a nest: its folders, then its memory, until it is killed."""
    try:
        walls.unshare(walls.CLONE_NEWNS | walls.CLONE_NEWIPC)
        _furnish(request["disk_mib"], request["bind_again"])
        os.write(ready, b"ok\n")
    except OSError as problem:
        os.write(ready, f"error {problem}\n".encode())
        os._exit(1)
    os.close(ready)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # orphans are reaped by the kernel
    os.read(go, 1)  # nothing to watch until the nest is used
    watch = Watch(request["memory_mib"], request["processes"], request["inherited_kib"])
    told = 0
    while not (excess := watch.find_excess()):
        if watch.peak_kib > 1.05 * told + TOLD_KIB:  # so seldom that the pipe never fills up
            told = watch.peak_kib
            os.write(alarm, b"peak %d\n" % told)
        time.sleep(WATCH_SECONDS)
    os.write(alarm, b"peak %d\nexcess %s\n" % (watch.peak_kib, excess.encode()))
    os._exit(0)


def _furnish(disk_mib: int, bind_again: list[list[str]]) -> None:
    """One tmpfs of limited size for everything that the student can write, and their own /proc and terminals."""
    flags = walls.MS_NOSUID | walls.MS_NODEV
    walls.mount("tmpfs", BOX, "tmpfs", flags, f"size={disk_mib}m,nr_inodes={2000 + 200 * disk_mib},mode=755")
    for part, place in (("work", WORK), ("tmp", "/tmp"), ("shm", "/dev/shm")):
        os.mkdir(f"{BOX}/{part}")  # noqa: PTH102 -- once per submission, and a path object costs more
        os.chmod(f"{BOX}/{part}", 0o1777)  # noqa: PTH101 -- as above
        walls.mount(f"{BOX}/{part}", place, "", walls.MS_BIND)
    for folder, spare in bind_again:  # Python itself lies in /tmp
        os.makedirs(folder)  # noqa: PTH103 -- as above
        walls.mount(spare, folder, "", walls.MS_BIND)
    walls.unmount(BOX)
    flags |= walls.MS_NOEXEC | walls.MS_RDONLY
    try:
        walls.mount("proc", "/proc", "proc", flags, "hidepid=ptraceable")
    except OSError:  # before Linux 5.8
        walls.mount("proc", "/proc", "proc", flags, "hidepid=2")
    with contextlib.suppress(OSError):  # terminals are a comfort (IPython's `!` uses one)
        walls.mount("devpts", "/dev/pts", "devpts", walls.MS_NOSUID | walls.MS_NOEXEC, "newinstance,ptmxmode=0666")
        walls.mount("/dev/pts/ptmx", "/dev/ptmx", "", walls.MS_BIND)


RESIDENT = (b"RssAnon:", b"RssShmem:", b"VmSwap:", b"VmPTE:")  # the last: the kernel's tables for its addresses


class Watch:
    """Adds up the private memory of all processes in the nest, and counts them."""

    def __init__(self, limit_mib: int, processes: int, inherited_kib: int) -> None:
        self._limit = limit_mib * 1024
        self._processes = processes
        self._inherited = inherited_kib
        self.peak_kib = 0  # the most that was seen beyond what the processes began with

    def find_excess(self) -> str:
        """What there is too much of: `memory`, `processes`, or the empty string.

        A cheap estimate of the memory first; the exact sum takes milliseconds and is made where the estimate is high.
        """
        pids = [name for name in os.listdir("/proc") if name.isdigit() and name != "1"]  # noqa: PTH208 -- often
        if len(pids) > self._processes:  # the resource limit comes first, where the kernel honours it
            return "processes"
        held = [memory_kib(pid, "status", *RESIDENT) for pid in pids]
        self.peak_kib = max(self.peak_kib, sum(max(0, kib - self._inherited) for kib in held))
        if sum(held) < self._limit:
            return ""
        exact = sum(memory_kib(pid, "smaps_rollup", b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:") for pid in pids)
        exact += sum(memory_kib(pid, "status", b"VmPTE:") for pid in pids)
        return "memory" if exact - self._inherited > self._limit else ""


def memory_kib(pid: str, file: str, *names: bytes) -> int:
    """Of a process; where its first thread has ended and others run, /proc tells of its memory with those alone."""
    if kib := count_kib(f"/proc/{pid}/{file}", *names):
        return kib
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 -- names alone are wanted
    except OSError:
        return 0
    return max((count_kib(f"/proc/{pid}/task/{thread}/{file}", *names) for thread in threads), default=0)


def count_kib(path: str, *names: bytes) -> int:
    """The sum of those lines of a file in /proc; 0 where the process has just ended."""
    total = 0
    try:
        with open(path, "rb") as file:  # noqa: PTH123 -- as above
            for line in file:
                if line.startswith(names):
                    total += int(line.split()[1])
    except OSError:
        return 0
    return total


# --------------------------------------------------------------------------------------------------------------- parent


class Nest:
    """A student process with its walls, and what the parent keeps of it. It waits at its gate until it is used."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self.limits = limits
        self.pid = 0  # of the student process
        self.init_pid = 0  # of process 1 of the namespaces, as it is called here
        self.init_fd = -1  # stands for process 1 of the namespaces
        self.alarm = -1  # pipe: what init has seen of its memory, and why it ended everything
        self.go = -1  # pipe: closed when the nest is used
        self.gate: socket.socket | None = None  # to the student process, for its pipes
        self.note: socket.socket | None = None  # to the grading process
        self.is_watched = False
        self.peak_kib = 0  # the most memory that was seen in it, beyond what the student process began with

    def send_pipes(self, reader: int, writer: int) -> None:
        """Open the gate."""
        assert self.gate is not None
        socket.send_fds(self.gate, [b"go"], [reader, writer])

    def look(self, inherited_kib: int) -> None:
        """Look at the student process once more: init may not have come to it."""
        self.peak_kib = max(self.peak_kib, count_kib(f"/proc/{self.pid}/status", *RESIDENT) - inherited_kib)

    def why_killed(self) -> str:
        """What there was too much of, where init ended the nest."""
        excess = ""
        with contextlib.suppress(OSError):
            for line in os.read(self.alarm, 1 << 16).decode().splitlines():
                kind, value = line.split()
                if kind == "peak":
                    self.peak_kib = max(self.peak_kib, int(value))
                else:
                    excess = value
        return excess

    def close(self) -> None:
        """Close what is left of it here."""
        for fd in (self.init_fd, self.alarm, self.go):
            if fd >= 0:
                os.close(fd)
        for connection in (self.gate, self.note):
            if connection is not None:
                connection.close()


class Parent:
    """Forks students and watches their ends.

    The next student process is made ready while the one before it runs: on a second core that costs no time.
    """

    def __init__(
        self,
        control: socket.socket,
        nursery: socket.socket | None,
        nursery_pid: int,
        options: dict[str, Any],
        released: dict[str, types.ModuleType],
    ) -> None:
        self._control, self._nursery, self._options, self._released = control, nursery, options, released
        self._nursery_pid = nursery_pid
        self._own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY) if nursery else -1
        self._filter = walls.seccomp_program() if options["seccomp"] else b""
        self._inherited_kib = count_kib("/proc/self/status", b"RssAnon:")
        self._selector = selectors.PollSelector()  # epoll counts per user, and a student could use the count up
        self._running: dict[int, Nest] = {}  # by pid of the student process
        self._spare: Nest | None = None

    def run(self, student: Any) -> None:
        """Serve until the grading process closes the control socket.

        Args:
            student: the warm student, forked for each submission.
        """
        wakeup, other = os.pipe()
        os.set_blocking(wakeup, False)
        os.set_blocking(other, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(other, warn_on_full_buffer=False)
        self._selector.register(wakeup, selectors.EVENT_READ, lambda: self._reap(wakeup))
        self._selector.register(self._control, selectors.EVENT_READ, lambda: self._accept(student))
        while True:
            for key, _ in self._selector.select():
                if self._selector.get_map().get(key.fd) is key:  # an event before it may have closed this one's nest
                    key.data()

    def rehearse(self, student: Any) -> None:
        """Let a student process come up, and end it: what this machine allows within the sandbox shows only then.

        Raises:
            OSError: it does not come up.
        """
        nest = self._prepare(student, {"disk_mib": 1, "memory_mib": 64, "processes": 8, "folder": None})
        reader, requests = os.pipe()
        answers, writer = os.pipe()
        try:
            nest.send_pipes(reader, writer)
        finally:
            for fd in (reader, requests, writer):
                os.close(fd)
            said = wire.read_message(answers) or {}
            os.close(answers)
            self._kill(nest)
        if said.get("type") != "ready":
            why = str(said.get("content") or "it ended before it began").strip().splitlines()[-1]
            raise OSError(f"no student process comes up in namespaces of its own: {why}")

    def _accept(self, student: Any) -> None:
        data, fds, _, _ = socket.recv_fds(self._control, 1 << 16, 3)
        if not data:
            self._leave()
        reader, writer, note_fd = fds
        note = socket.socket(fileno=note_fd)
        limits = json.loads(data)
        nest = None
        try:
            nest = self._take_spare(limits) or self._prepare(student, limits)
            nest.send_pipes(reader, writer)
        except OSError as problem:
            if nest is not None:
                self._kill(nest)
            _tell(note, {"error": str(problem)})
            note.close()
            return
        finally:
            os.close(reader)
            os.close(writer)
        self._use(nest, note)
        if self._nursery is not None and self._spare is None:
            with contextlib.suppress(OSError):  # the next request will say what is wrong
                self._spare = self._prepare(student, limits)

    def _leave(self) -> None:
        """Process 1 of the sandbox takes everything in it along; without a sandbox the students are ended here."""
        for nest in list(self._running.values()):
            self._kill(nest)
            if nest.init_fd < 0:
                os.waitpid(nest.pid, 0)
                self._kill_escaped(nest.pid)
        os._exit(0)

    def _use(self, nest: Nest, note: socket.socket) -> None:
        nest.note, nest.is_watched = note, True
        if nest.go >= 0:
            os.close(nest.go)
            nest.go = -1
        self._selector.register(note, selectors.EVENT_READ, lambda: self._obey(nest))
        _tell(note, {"started": nest.pid})

    def _take_spare(self, limits: dict[str, Any]) -> Nest | None:
        spare, self._spare = self._spare, None
        if spare is None or spare.pid not in self._running:
            return None
        if spare.limits != limits:
            self._kill(spare)
            return None
        return spare

    def _prepare(self, student: Any, limits: dict[str, Any]) -> Nest:
        """A student process, walled in, that waits for its pipes."""
        nest = Nest(limits)
        try:
            if self._nursery is not None:
                self._settle(nest)
            theirs = self._fork(nest)
        except OSError:
            self._kill(nest)
            nest.close()
            raise
        if nest.pid == 0:  # as deep in the stack as ipykernel: a notebook shows how deep it may go
            self._be_student(student, nest, theirs)
        theirs.close()
        self._running[nest.pid] = nest
        if nest.init_fd >= 0:
            self._selector.register(nest.init_fd, selectors.EVENT_READ, lambda: self._bury(nest))
        return nest

    def _settle(self, nest: Nest) -> None:
        """Have the nursery make the namespaces."""
        assert self._nursery is not None
        request = {
            **{name: nest.limits[name] for name in ("disk_mib", "memory_mib", "processes")},
            "inherited_kib": self._inherited_kib,
            "bind_again": self._options["bind_again"],
        }
        ready, their_ready = os.pipe()
        theirs = [their_ready]
        with os.fdopen(ready, "rb") as answer:
            try:
                nest.alarm, their_alarm = os.pipe()
                theirs.append(their_alarm)
                their_go, nest.go = os.pipe()
                theirs.append(their_go)
                os.set_blocking(nest.alarm, False)
                socket.send_fds(self._nursery, [json.dumps(request).encode()], theirs)
            finally:
                for fd in theirs:
                    os.close(fd)
            said = answer.read().decode()
        words = said.split()
        if "error" in words or not {"ok", "pid"} <= set(words):  # the nursery may end between the two
            raise OSError(f"no namespaces for the submission: {'; '.join(said.splitlines())}")
        nest.init_pid = int(words[words.index("pid") + 1])
        nest.init_fd = walls.pidfd_open(nest.init_pid)

    def _fork(self, nest: Nest) -> socket.socket:
        """Fork the student process, in the namespaces; its end of the gate."""
        nest.gate, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            if nest.init_fd >= 0:
                walls.setns(nest.init_fd, walls.CLONE_NEWPID)
            nest.pid = os.fork()
        except OSError:
            theirs.close()
            self._return()
            raise
        if nest.pid:
            self._return()
        return theirs

    def _return(self) -> None:
        """Have what is forked from now on in the parent's own namespace: the next nest has one of its own."""
        if self._own_pids >= 0:
            walls.setns(self._own_pids, walls.CLONE_NEWPID)

    def _be_student(self, student: Any, nest: Nest, gate: socket.socket) -> None:
        """Never returns."""
        writer = -1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if nest.init_fd >= 0:
                walls.setns(nest.init_fd, walls.CLONE_NEWNS | walls.CLONE_NEWIPC)
            os.setsid()
            walls.prctl(walls.PR_SET_PDEATHSIG, signal.SIGKILL)
            walls.close_all_but([0, 1, 2, gate.fileno()])
            os.chdir(WORK if nest.init_fd >= 0 else nest.limits["folder"])
            self._wall_in(nest.limits)
            message, fds, _, _ = socket.recv_fds(gate, 16, 2)
            gate.close()
            if not message:
                os._exit(0)
            reader, writer = fds
            if self._options["seccomp"]:
                walls.seccomp(self._filter)  # last: it would have refused the gate
            _unpack_files(reader)
            self._add_released()
            wire.write_all(writer, wire.pack({"type": "ready", "parent": None, "content": {}}))
            student.serve(reader, writer, wire.read_message)
        except BaseException:
            import traceback

            with contextlib.suppress(BaseException):
                text = json.dumps({"type": "broken", "parent": None, "content": traceback.format_exc()}).encode()
                wire.write_all(writer, wire.HEADER.pack(len(text)) + text)
        finally:
            os._exit(0)

    def _add_released(self) -> None:
        """A file that is the released one counts as imported: that takes longer than all the rest of the lesson."""
        for name, module in self._released.items():
            file = Path(f"{name}.py")
            with contextlib.suppress(OSError):
                if file.read_bytes() == self._options["released"][file.name].encode() and not Path(name).is_dir():
                    sys.modules[name] = module

    def _wall_in(self, limits: dict[str, Any]) -> None:
        options = self._options
        if options["nests"]:
            walls.unshare(walls.CLONE_NEWUSER)  # processes are counted per user namespace
        count = limits["processes"] if options["nests"] else None
        walls.set_limits(limits["memory_mib"], limits["disk_mib"], count)
        walls.drop_capabilities()
        walls.no_new_privileges()
        walls.prctl(walls.PR_SET_DUMPABLE, 1)
        if options["landlock"]:
            own = [] if options["nests"] else [limits["folder"]]
            walls.landlock(options["readable"], [*options["writable"], *own], options["devices"])

    # ----------------------------------------------------------------------------------------------------------- ends

    def _obey(self, nest: Nest) -> None:
        """What the grading process says of a student: interrupt, tell its processor time, or kill.

        A closed connection means kill too.
        """
        assert nest.note is not None
        try:
            order = nest.note.recv(16)
        except OSError:
            order = b""
        if order == b"interrupt":
            if nest.pid in self._running:
                os.kill(nest.pid, signal.SIGINT)
            return
        if order == b"cpu":
            _tell(nest.note, {"cpu": cpu_seconds(nest.pid, nest.init_pid)})
            return
        self._selector.unregister(nest.note)
        nest.is_watched = False
        nest.look(self._inherited_kib)
        self._kill(nest)

    def _kill(self, nest: Nest) -> None:
        with contextlib.suppress(ProcessLookupError):
            if nest.init_fd >= 0:
                signal.pidfd_send_signal(nest.init_fd, signal.SIGKILL)
            elif nest.init_pid:  # there was no descriptor left for it
                os.kill(nest.init_pid, signal.SIGKILL)
            elif nest.pid in self._running:
                os.kill(nest.pid, signal.SIGKILL)

    def _reap(self, wakeup: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(wakeup, 4096)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._nursery_pid:
                    raise RuntimeError("the nursery has ended")  # a new parent has a new one
                nest = self._running.pop(ended[0], None)
                if nest is not None:
                    self._end(nest, ended[1])

    def _end(self, nest: Nest, status: int) -> None:
        """The student process has ended: all that it started goes with it."""
        if excess := nest.why_killed():
            _tell(nest.note, {"killed": excess})
        _tell(nest.note, {"exit": os.waitstatus_to_exitcode(status)})
        self._kill(nest)
        if nest.init_fd < 0:
            self._kill_escaped(nest.pid)
            self._bury(nest)

    def _kill_escaped(self, session: int) -> None:
        """Without namespaces: end who is left of the student's session, and the orphans, who become our children.

        Who has left the session and still has a parent is an orphan in the next round.
        """
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            escaped = [pid for pid in find_processes(session, os.getpid()) if pid not in self._running]
            if not escaped:
                return
            for pid in escaped:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    def _bury(self, nest: Nest) -> None:
        """The nest's init has ended, and the kernel lets that happen only after everything else in the nest."""
        if self._running.pop(nest.pid, None) is not None:
            with contextlib.suppress(ChildProcessError):
                self._end(nest, os.waitpid(nest.pid, 0)[1])
        if nest.init_fd >= 0:
            self._selector.unregister(nest.init_fd)
        if nest.is_watched and nest.note is not None:
            self._selector.unregister(nest.note)
        _tell(nest.note, {"gone": True, "memory_kib": nest.peak_kib})
        nest.close()


def load_released(released: dict[str, str]) -> dict[str, types.ModuleType]:
    """The given Python files as modules, by name, as if they had been imported from the work folder.

    Nothing but their own text has been run in them. One that cannot be loaded is left to the student's own import.
    """
    modules = {}
    for file, text in released.items():
        name, place = Path(file).stem, f"{WORK}/{file}"
        spec = importlib.util.spec_from_file_location(name, place)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # as an import has it: dataclasses look there
        with contextlib.suppress(Exception):
            exec(compile(text, place, "exec", dont_inherit=True), module.__dict__)
            modules[name] = module
        del sys.modules[name]
    return modules


def cpu_seconds(*roots: int) -> float:
    """Processor time of these processes and of all below them, those that have ended and were waited for included."""
    found: dict[int, tuple[int, int]] = {}  # by process: its parent, and its ticks
    for name in os.listdir("/proc"):  # noqa: PTH208 -- names alone are wanted
        with contextlib.suppress(OSError):
            if name.isdigit():
                stat = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
                found[int(name)] = int(stat[1]), sum(map(int, stat[11:15]))
    within = {root for root in roots if root in found}
    while more := {pid for pid, (parent, _) in found.items() if parent in within} - within:
        within |= more
    return sum(found[pid][1] for pid in within) / os.sysconf("SC_CLK_TCK")


def find_processes(session: int, parent: int) -> list[int]:
    """The processes of a session, and the children of a process."""
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 -- names alone are wanted
        with contextlib.suppress(OSError):
            if name.isdigit():
                stat = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
                if int(stat[3]) == session or int(stat[1]) == parent:
                    found.append(int(name))
    return found


def _tell(note: socket.socket | None, message: dict[str, Any]) -> None:
    if note is not None:  # a spare has nobody to tell
        with contextlib.suppress(OSError):
            note.send(json.dumps(message).encode())


def _unpack_files(reader: int) -> None:
    """The submission's own files, before anything of the student's runs."""
    while entry := wire.read_message(reader):
        data = wire.read_exactly(reader, entry["size"])
        path = Path(entry["path"])
        with contextlib.suppress(OSError):  # no space or no inode left: the student's own limit
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


# ---------------------------------------------------------------------------------------------------------------- start


def start_nursery(control: socket.socket) -> tuple[socket.socket, int]:
    """Fork the nursery while this process is still small; the connection to it, and its process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        control.close()  # the grading process takes its end for the parent's
        ours.close()
        serve_nursery(theirs)
    theirs.close()
    return ours, pid


def main() -> None:
    """Start, warm up, say that it is ready, serve."""
    control = socket.socket(fileno=int(sys.argv[1]))
    _, (file,), _, _ = socket.recv_fds(control, 16, 1)
    with os.fdopen(file, "rb") as said:
        options = json.loads(said.read())
    control.set_inheritable(False)
    sys.argv[:] = ["ipykernel_launcher.py"]
    try:
        if options["uid"]:
            walls.keep_capabilities_as(options["uid"])
        nursery, nursery_pid = start_nursery(control) if options["nests"] else (None, -1)
        if nursery is None:
            walls.prctl(walls.PR_SET_CHILD_SUBREAPER, 1)
        student, released = warm_student(options)
        parent = Parent(control, nursery, nursery_pid, options, released)
        if options["nests"]:
            parent.rehearse(student)
    except BaseException as problem:
        _tell(control, {"error": f"{type(problem).__name__}: {problem}"})
        raise
    _tell(control, {"ready": os.getpid(), "memory_kib": count_kib("/proc/self/status", b"VmRSS:")})
    try:
        parent.run(student)
    except BaseException as problem:
        os.write(2, f"{type(problem).__name__}: {problem}\n".encode())  # sys.stderr is the student's
        os._exit(1)


def warm_student(options: dict[str, Any]) -> tuple[Any, dict[str, types.ModuleType]]:
    """Import and run everything that students will need, in one thread.

    Returns:
        The student, and the given files as modules (without namespaces the work folder has another name each time, and
        nothing is loaded beforehand).
    """
    sys.path[:] = [entry for entry in sys.path if entry and Path(entry) != HERE]
    import torch

    torch.set_num_threads(1)  # before the first operation: a pool of threads would not survive the fork
    torch.set_num_interop_threads(1)
    student = load("child").Student(lambda body: wire.HEADER.pack(len(body)) + body, load("calls"))
    released = load_released(options["released"]) if options["nests"] else {}
    tried = load_released(options["released"])  # the lesson's cells use files of their own: students' are untouched
    sys.modules.update(tried)
    student.warm_up(options["cells"])
    for name in tried:
        del sys.modules[name]
    walls.join_pages()
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208 -- names alone are wanted
        raise RuntimeError("something started a thread while warming up; forked students would hang")
    return student, released


if __name__ == "__main__":
    main()

"""Walls that a process puts around itself: limits, Landlock, seccomp, no capabilities, namespaces of its own.

Knows Linux system calls by number and structure. Refuses to know kernels, cells and notebooks. Runs inside the sandbox,
so it imports the standard library alone and nothing of ours.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import resource
import struct
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

MIB = 1 << 20

CLONE_NEWNS = 0x00020000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
ALL_NAMESPACES = 0x7E020080  # mount, cgroup, uts, ipc, user, pid, net and time

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
MS_PRIVATE_ALL = (1 << 18) | (1 << 14)  # MS_PRIVATE | MS_REC
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_CAPBSET_DROP, PR_SET_SECUREBITS = 1, 4, 8, 24, 28
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 36, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

SYS_LANDLOCK_CREATE, SYS_LANDLOCK_ADD, SYS_LANDLOCK_RESTRICT, SYS_PIDFD_OPEN = 444, 445, 446, 434

_libc: Any = None


def libc() -> Any:
    """The C library, opened when first needed: importing this file must work on every system."""
    global _libc
    if _libc is None:
        _libc = ctypes.CDLL(None, use_errno=True)
        _libc.syscall.restype = ctypes.c_long
    return _libc


def _check(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def prctl(option: int, value: int = 0, third: int = 0) -> None:
    """prctl(2), with an exception where it fails."""
    zero = ctypes.c_ulong(0)
    _check(libc().prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(third), zero, zero), f"prctl {option}")


# ------------------------------------------------------------------------------------------------ namespaces and mounts


def unshare(flags: int) -> None:
    """Leave namespaces that are shared with others for fresh ones."""
    _check(libc().unshare(flags), "unshare")


def setns(fd: int, flags: int) -> None:
    """Enter the namespaces of the process (a pidfd) or of the namespace file behind `fd`."""
    _check(libc().setns(fd, flags), "setns")


def pidfd_open(pid: int) -> int:
    """A file descriptor that stands for the process."""
    return _check(libc().syscall(SYS_PIDFD_OPEN, pid, 0), "pidfd_open")


def mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
    """mount(2)."""
    arguments = [text.encode() for text in (source, target, kind)]
    _check(libc().mount(*arguments, ctypes.c_ulong(flags), data.encode()), f"mount {target}")


def unmount(target: str) -> None:
    """Detach a mount; what is bound from it lives on."""
    _check(libc().umount2(target.encode(), MNT_DETACH), f"umount {target}")


# ----------------------------------------------------------------------------------------------------------- privileges


def drop_capabilities() -> None:
    """Give up every capability, for this process and for whatever it executes."""
    with contextlib.suppress(OSError):  # EINVAL above the last one, EPERM where we hold none: nothing to give up
        for capability in range(64):
            prctl(PR_CAPBSET_DROP, capability)
    with contextlib.suppress(OSError):
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    with contextlib.suppress(OSError):
        prctl(PR_SET_SECUREBITS, 0x2F)  # noroot, no setuid fixup, no keepcaps, each locked: uid 0 stays powerless
    _set_capabilities(0)


def keep_capabilities_as(uid: int) -> None:
    """Become another user without losing the capabilities in the user namespace."""
    held = _capabilities()
    prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    _set_capabilities(held)
    prctl(PR_SET_DUMPABLE, 1)  # becoming another user cleared it, and /proc/self would belong to root


def _capabilities() -> int:
    """The permitted capabilities as bits."""
    header = struct.pack("=Ii", 0x20080522, 0)
    data = ctypes.create_string_buffer(24)
    _check(libc().capget(ctypes.create_string_buffer(header, 8), data), "capget")
    words = struct.unpack("=6I", data.raw)
    return int(words[1]) | int(words[4]) << 32


def _set_capabilities(bits: int) -> None:
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0), 8)
    low, high = bits & 0xFFFFFFFF, bits >> 32
    data = ctypes.create_string_buffer(struct.pack("=6I", low, low, 0, high, high, 0), 24)
    _check(libc().capset(header, data), "capset")


def no_new_privileges() -> None:
    """Set-user-id programs give nothing from now on."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)


# --------------------------------------------------------------------------------------------------------------- limits


def set_limits(memory_mib: int, disk_mib: int, processes: int | None) -> None:
    """Resource limits of this process and its children.

    Args:
        memory_mib: private writable memory that may be added to what the process holds now. Addresses may be added
            for as much and `ROOM_MIB` more: the kernel's tables for them are memory too, and nobody counts it.
        disk_mib: size of the largest file.
        processes: processes and threads of this user in this user namespace; None where the kernel would count
            those of the whole machine.
    """
    bounds = {
        resource.RLIMIT_DATA: memory_in_use(b"VmData:") + memory_mib * MIB,
        resource.RLIMIT_AS: memory_in_use(b"VmSize:") + (memory_mib + ROOM_MIB) * MIB,
        resource.RLIMIT_FSIZE: disk_mib * MIB,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 256,  # as on macOS; what waits for files is counted per user, over all submissions
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_MEMLOCK: 64 * 1024,
    }
    if processes is not None:
        bounds[resource.RLIMIT_NPROC] = processes
    for which, bound in bounds.items():
        _, hard = resource.getrlimit(which)
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(which, (bound, bound))


ROOM_MIB = 16 * 1024  # libraries and threads reserve addresses that they do not use


def memory_in_use(name: bytes) -> int:
    """Bytes that the kernel counts against a limit already, by the name of the line in /proc."""
    with open("/proc/self/status", "rb") as status:  # noqa: PTH123 -- once per submission, and a path object costs more
        for line in status:
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0


# ------------------------------------------------------------------------------------------------------------- landlock

READ_ONLY = 0b1101  # execute, read file, read folder
EVERYTHING_V1 = (1 << 13) - 1
NO_DEVICES = ~((1 << 6) | (1 << 9) | (1 << 11))  # no character device, no socket, no block device is made
IOCTL_DEV = 1 << 15


def landlock_version() -> int:
    """The ABI version that the kernel offers; 0 where there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, int(libc().syscall(SYS_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)))


def landlock(readable: Iterable[str], writable: Iterable[str], devices: Iterable[str]) -> None:
    """Forbid every file except those beneath the given paths, TCP, and signals and sockets out of the domain."""
    version = landlock_version()
    if version < 1:
        raise OSError(errno.ENOSYS, "no Landlock")
    handled = EVERYTHING_V1
    handled |= (1 << 13) if version >= 2 else 0  # moving between folders
    handled |= (1 << 14) if version >= 3 else 0  # truncating
    handled |= IOCTL_DEV if version >= 5 else 0
    attributes = struct.pack("=QQQ", handled, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _check(libc().syscall(SYS_LANDLOCK_CREATE, attributes, ctypes.c_size_t(size), 0), "landlock")
    for paths, access in ((readable, READ_ONLY), (writable, handled & NO_DEVICES & ~IOCTL_DEV), (devices, handled)):
        for path in paths:
            _allow_beneath(ruleset, path, access & handled)
    _check(libc().syscall(SYS_LANDLOCK_RESTRICT, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)


def _allow_beneath(ruleset: int, path: str, access: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # a path that is not there needs no rule
    if not os.path.isdir(path):  # noqa: PTH112 -- as above: a path object costs more
        access &= 0b110 | 1 | (1 << 14) | IOCTL_DEV  # the rest is said of folders only
    rule = struct.pack("=Qi", access, fd)
    try:
        _check(libc().syscall(SYS_LANDLOCK_ADD, ruleset, 1, rule, 0), f"landlock rule for {path}")
    finally:
        os.close(fd)


# -------------------------------------------------------------------------------------------------------------- seccomp

# Name: (x86_64, aarch64); None where the machine does not have it.
DENIED: dict[str, tuple[int | None, int]] = {
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "sendto": (44, 206), "recvfrom": (45, 207),
    "sendmsg": (46, 211), "recvmsg": (47, 212), "shutdown": (48, 210), "bind": (49, 200), "listen": (50, 201),
    "getsockname": (51, 204), "getpeername": (52, 205), "socketpair": (53, 199), "setsockopt": (54, 208),
    "getsockopt": (55, 209), "accept4": (288, 242), "recvmmsg": (299, 243), "sendmmsg": (307, 269),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "process_madvise": (440, 440), "pidfd_getfd": (438, 438), "perf_event_open": (298, 241), "bpf": (321, 280),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "unshare": (272, 97), "setns": (308, 268), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225),
    "sethostname": (170, 161), "setdomainname": (171, 162), "iopl": (172, 0xFFFF), "ioperm": (173, 0xFFFF),
    "modify_ldt": (154, 0xFFFF), "acct": (163, 89), "quotactl": (179, 60), "syslog": (103, 116),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262), "vhangup": (153, 58),
    "personality": (135, 92), "memfd_create": (319, 279), "memfd_secret": (447, 447), "migrate_pages": (256, 238),
    "move_pages": (279, 239), "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190),
    "msgget": (68, 186), "mq_open": (240, 180), "lookup_dcookie": (212, 18), "mknod": (133, 0xFFFF),
    "mknodat": (259, 33), "vmsplice": (278, 75), "io_setup": (206, 0), "quotactl_fd": (443, 443),
    "open_tree_attr": (467, 467),
}  # fmt: skip

# Without a system call of their own number on the machine: 0xFFFF above, which no machine has.
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # audit architecture, column of the table
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3, IOCTL, MMAP = 435, {"x86_64": 16, "aarch64": 29}, {"x86_64": 9, "aarch64": 222}
MAP_SHARED, MAP_ANONYMOUS = 0x01, 0x20
TIOCSTI, TIOCLINUX = 0x5412, 0x541C

_LD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06  # classic BPF: load word, jumps, return
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000


def seccomp_program() -> bytes:
    """The filter as classic BPF: refuse politely what no honest notebook needs, allow the rest."""
    machine = platform.machine()
    architecture, column = MACHINES[machine]
    refuse = _RET, 0, 0, _ERRNO | errno.EPERM
    not_there = _RET, 0, 0, _ERRNO | errno.ENOSYS
    program = [(_LD, 0, 0, 4), (_JEQ, 1, 0, architecture), (_RET, 0, 0, _KILL), (_LD, 0, 0, 0)]
    if machine == "x86_64":
        program += [(_JGE, 0, 1, 0x40000000), not_there]  # the x32 numbers would go around the table
    for number in sorted({n for pair in DENIED.values() if (n := pair[column]) not in (None, 0xFFFF)}):
        program += [(_JEQ, 0, 1, number), refuse]
    program += [(_JEQ, 0, 1, CLONE3), not_there]  # its flags lie in memory; the C library falls back to clone
    program += [(_JEQ, 0, 3, CLONE[machine]), (_LD, 0, 0, 16), (_JSET, 0, 1, ALL_NAMESPACES & ~0xFF), refuse]
    program += [(_LD, 0, 0, 0), (_JEQ, 0, 4, IOCTL[machine]), (_LD, 0, 0, 24)]
    program += [(_JEQ, 1, 0, TIOCSTI), (_JEQ, 0, 1, TIOCLINUX), refuse]
    # Shared memory without a file stays when no process maps it any more, so that no watch sees it.
    program += [(_LD, 0, 0, 0), (_JEQ, 0, 4, MMAP[machine]), (_LD, 0, 0, 40)]
    program += [(_JSET, 0, 2, MAP_ANONYMOUS), (_JSET, 0, 1, MAP_SHARED), refuse]
    program += [(_RET, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def has_seccomp() -> bool:
    """Whether the kernel filters system calls and we know this machine's numbers."""
    return platform.machine() in MACHINES and os.path.exists("/proc/sys/kernel/seccomp")  # noqa: PTH110 -- as above


def seccomp(program: bytes) -> None:
    """Filter the system calls of this process and of all it starts; needs `no_new_privileges` before."""
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    buffer = ctypes.create_string_buffer(header, len(header))
    prctl(22, 2, ctypes.addressof(buffer))  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


def works(wall: Callable[[], None]) -> bool:
    """Try a wall in a process of its own; whether it could be built."""
    pid = os.fork()
    if pid == 0:
        try:
            wall()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def join_pages() -> None:
    """Put this process's private memory into huge pages, where the kernel can: forking it costs a fifth then.

    Best effort: MADV_COLLAPSE came with Linux 6.1. A write after the fork still copies one small page.
    """
    with open("/proc/self/maps", encoding="ascii", errors="replace") as maps:  # noqa: PTH123 -- a file of the kernel's
        regions = [line.split() for line in maps]
    for words in regions:
        if words[1] == "rw-p" and (len(words) == 5 or words[5] == "[heap]"):
            begin, end = (int(address, 16) for address in words[0].split("-"))
            if end - begin >= HUGE_PAGE:
                libc().madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), MADV_COLLAPSE)


HUGE_PAGE, MADV_COLLAPSE = 2 << 20, 25


def close_all_but(kept: Sequence[int]) -> None:
    """Close every file descriptor except those."""
    low = 0
    for fd in [*sorted(kept), 1 << 20]:
        if low < fd:  # an empty range would mean everything
            os.closerange(low, fd)
        low = fd + 1

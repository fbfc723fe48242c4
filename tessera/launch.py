"""Become somebody else if asked, tie this process's life to its parent's, then run a program in its place.

    python -I -S launch.py PARENT_PID DEATH_SIGNAL WHO PROGRAM [ARGUMENT...]

A script of its own, run by path with the standard library only: the code between fork and exec is then an ordinary program,
which is safe in a parent with many threads (`preexec_fn` is not).

PROGRAM is a path. WHO is `same`, `UID:GID`, or `namespace`: a user namespace in which root is an ordinary user. PostgreSQL
refuses to run as root; in a namespace it sees no root, yet still opens what root may open.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
INSIDE_ID = 1000


def main(argv: list[str]) -> None:
    # Python would turn SIGINT into an exception, and lose one that comes just before the program takes over.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent_pid, death_signal, who, *program = argv
    libc = ctypes.CDLL(None, use_errno=True)
    become(libc, who)
    # A change of credentials clears the death signal, so this comes second.
    if libc.prctl(PR_SET_PDEATHSIG, int(death_signal)) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != int(parent_pid):
        sys.exit("the parent ended before its child began")
    # A path, not a name to look up: by now even Python's own library may be out of reach.
    os.execv(program[0], program)


def become(libc: ctypes.CDLL, who: str) -> None:
    if who == "namespace":
        uid, gid = os.geteuid(), os.getegid()
        if libc.unshare(CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER)")
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"{INSIDE_ID} {uid} 1")
        write("/proc/self/gid_map", f"{INSIDE_ID} {gid} 1")
    elif who != "same":
        uid, gid = map(int, who.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])

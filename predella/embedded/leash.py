"""Run a program that ends when whoever started it ends, however that was.

``python -I -S leash.py PARENT SIGNAL OWNER PROGRAM ARGUMENT...`` becomes PROGRAM. On Linux
the kernel then sends it SIGNAL when PARENT dies, even by ``kill -9``; elsewhere the file of
pids is the only net. OWNER is ``uid:gid`` to run as, or ``-`` to stay who we are.

A script of its own, because code between fork and exec is unsafe in a program with threads.
Nothing of predella is imported: the interpreter starts in about 15 ms.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: str, signal: str, owner: str, *command: str) -> None:
    """Become the command."""
    if owner != "-":
        uid, gid = map(int, owner.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After setuid, which would undo it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal))
        if os.getppid() != int(parent):
            sys.exit("whoever started this is gone")
    os.execvp(command[0], command)  # noqa: S606  (an argument list, no shell)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What the process that decodes strangers' files may still do: compute, and answer."""

import ctypes
import os
import resource

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
"""System call numbers, the same on every architecture since Linux 5.13."""
_VERSION = 1
_NO_NEW_PRIVILEGES = 38
_FILES_BY_ABI = (0, 13, 14, 15, 15, 16)
"""How many rights on files each version of Landlock knows."""
_NETWORK_ABI, _SCOPE_ABI = 4, 6
_ALL_OF_TWO = 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scope", ctypes.c_uint64),
    )


def confine() -> None:
    """Give up, for ever, writing files, opening any, new processes, TCP and core dumps.

    Where the kernel has no Landlock, files can still be opened for reading: the environment is
    empty and the memory fresh, so that there is no secret of ours to read in them.
    """
    for limit, most in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 16),
    ):
        resource.setrlimit(limit, (most, most))
    _landlock()


def grant(*, memory: int, cpu_seconds: int) -> None:
    """Allow this much address space in all, and this much more processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + cpu_seconds
    for limit, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds)):
        _, hard = resource.getrlimit(limit)
        ceiling = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (ceiling, hard))


def _landlock() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    abi = libc.syscall(_CREATE_RULESET, None, 0, _VERSION)
    if abi < 1:
        return
    files = (1 << _FILES_BY_ABI[min(abi, len(_FILES_BY_ABI) - 1)]) - 1
    ruleset = _Ruleset(
        files,
        _ALL_OF_TWO if abi >= _NETWORK_ABI else 0,
        _ALL_OF_TWO if abi >= _SCOPE_ABI else 0,
    )
    descriptor = libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.sizeof(ruleset), 0)
    if descriptor < 0:
        return
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc.syscall(_RESTRICT_SELF, descriptor, 0)
    os.close(descriptor)

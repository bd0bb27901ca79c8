"""A file that is one process's alone."""

from __future__ import annotations

import contextlib
import errno
from io import FileIO
from typing import BinaryIO

_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


def lock(file: FileIO | BinaryIO) -> None:
    """Lock ``file`` until it is closed, for this process alone.

    Raises:
        OSError: another process has it, or its file system knows no locks.
    """
    try:
        import fcntl
    except ImportError:  # not a POSIX system
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError(
            "another process is writing it; give each process a file of its own"
        ) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise OSError(
            f"its file system can not lock files ({error.strerror}), and two writers would spoil "
            "it; choose a path on a local disk"
        ) from error


def unlock(file: FileIO | BinaryIO) -> None:
    """A forked child may have the file, too, and closing it here alone would keep it locked."""
    with contextlib.suppress(ImportError, OSError):  # not a POSIX system; a device has no locks
        import fcntl

        fcntl.flock(file, fcntl.LOCK_UN)

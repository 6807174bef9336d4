"""Files that are whole or not there."""

from __future__ import annotations

import os


def write(path: str, content: bytes, executable: bool = False) -> None:
    """Write `content` to `path`: to a temporary name beside it first, then renamed.  OSError leaves what was there alone.

    What is not a regular file (`/dev/stdout`, a pipe) is written directly.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as file:
            file.write(content)
        return
    target = os.path.realpath(path)
    temporary = f"{target}.{os.getpid()}.tmp"
    umask = os.umask(0)
    os.umask(umask)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, (0o777 if executable else 0o666) & ~umask)
        with open(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, target)
    except OSError as problem:
        problem.filename, problem.filename2 = path, None  # as what was asked for is called
        raise
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)

"""When the compiler itself fails: a file with everything needed to see it again, and exit status 70."""

from __future__ import annotations

import os
import sys


def report(words: list[str], error: BaseException) -> None:
    """Save the arguments, the input file and the traceback, say where, and end the process with status 70."""
    import tempfile
    import traceback

    from septet import __version__

    where = "".join(traceback.format_exception(error))
    descriptor, path = tempfile.mkstemp(prefix="septet-internal-error-", suffix=".txt")
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(f"septet {__version__}, python {sys.version}, {sys.platform}\narguments: {words}\n\n{where}")
        for word in words:
            if os.path.isfile(word):
                with open(word, encoding="utf-8", errors="surrogateescape") as source:
                    file.write(f"\n---- {word}\n{source.read()}")
    last = where.strip().splitlines()[-1]
    sys.stderr.write(f"septet: internal error: {last}\nThis is a bug in Septet.  What is needed to see it again is in {path}\n")
    sys.stderr.flush()
    os._exit(70)

"""What keeps files from being written (a full disk, a read-only folder), said in one line."""

import errno
import os
import re
from pathlib import Path

REMEDIES = {
    errno.ENOSPC: "free some space and run again",
    errno.EDQUOT: "free some of your quota and run again",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f) and run again",
    errno.EROFS: "make the folder writable and run again",
    errno.EACCES: "make it accessible to you and run again",
}


def obstacle(error: BaseException | None, output: str | Path) -> str | None:
    """What keeps files from being written, in one line, if that is at the bottom of `error`; None if it is something else.

    Libraries wrap the system's error in many ways: as the cause of another one, or as "(os error 28)" in its message. `output`
    is named where the error names no file.
    """
    while error is not None:
        wrapped = re.search(r"\(os error (\d+)\)", str(error))
        code = int(wrapped[1]) if wrapped else getattr(error, "errno", None)
        file = getattr(error, "filename", None)
        if code in REMEDIES and (file or code != errno.EACCES):  # which a network can be the cause of as well
            return f"{file or output}: {os.strerror(code)}; {REMEDIES[code]}"
        error = error.__cause__ or error.__context__
    return None

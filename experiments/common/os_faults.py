"""What the system refused, in one sentence: which file, why, and what to do."""

import errno
import os

PLACE = {
    errno.ENOENT: "there is no such file or folder",
    errno.EACCES: "this user has no permission",
    errno.EPERM: "this user has no permission",
    errno.EROFS: "the disk is read-only",
    errno.ENOTDIR: "a file stands where a folder should be",
    errno.EISDIR: "a folder stands where a file should be",
    errno.EEXIST: "a file stands where a folder should be",
    errno.ENAMETOOLONG: "the name is too long for this disk",
}
"""Refused as the place is wrong: another one is to be named, or this one to be mended."""

SPACE = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of this user is used up",
    errno.EFBIG: "the file would be larger than this process may write",
    errno.EIO: "the disk reports an error",
    errno.EMFILE: "this process may open no more files",
    errno.ENFILE: "this machine may open no more files",
}
"""Refused though the place is right."""


def out_of_memory(error: MemoryError) -> str:
    """That there is not enough memory, and for what, where the library said so.

    Example:
        >>> out_of_memory(MemoryError("Unable to allocate 745. GiB")).partition(". ")[0]
        'The machine has not enough memory for this (unable to allocate 745'
    """
    why = " ".join(str(error).split())
    told = f" ({why[0].lower()}{why[1:]})" if why else ""
    return (
        f"The machine has not enough memory for this{told}. Ask for less, or take a larger "
        "machine; a study goes on from what is kept."
    )


def is_place_wrong(error: OSError) -> bool:
    """Whether the fault is the place that was named, not the state of the machine."""
    return error.errno in PLACE


def sentence_of(error: OSError) -> str:
    """What the system refused.

    Example:
        >>> sentence_of(OSError(errno.ENOSPC, "No space left on device", "/data/x"))
        '/data/x: the disk is full. Make room; then the same command goes on from what is kept.'
        >>> sentence_of(PermissionError(errno.EACCES, "Permission denied", "/x")).split(".")[0]
        '/x: this user has no permission'
    """
    place = f"{os.fsdecode(error.filename)}: " if error.filename else "A file cannot be written: "
    if error.errno in PLACE:
        return f"{place}{PLACE[error.errno]}. Mend that, or name another place."
    why = SPACE.get(error.errno or 0, " ".join(str(error.strerror or error).split()))
    cure = "Make room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "Mend that"
    return f"{place}{why}. {cure}; then the same command goes on from what is kept."

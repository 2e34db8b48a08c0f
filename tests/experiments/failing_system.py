"""A system whose n-th call that writes below a folder fails, once."""

import builtins
import io
import os
from pathlib import Path

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CALLS = ("replace", "rename", "mkdir", "unlink", "remove")


class FailingSystem:
    """Counts the calls that write below a folder, and fails one of them.

    Args:
        patch: pytest's `monkeypatch`, which ends it.
        folder: Where calls count.
        at: Number of the call that fails, from 0; None fails none.
        error: What it raises.
    """

    def __init__(self, patch, folder, at=None, error=None):
        self.folder = str(folder)
        self.at = at
        self.error = error
        self.calls = []
        self._paths = {}
        for name in CALLS:
            patch.setattr(os, name, self._guarded(getattr(os, name), name))
        real_open, real_os_open, real_fsync = io.open, os.open, os.fsync

        def open_file(file, mode="r", *args, **kwargs):
            if set(mode) & set("wax+"):
                self._count("open", file)
            opened = real_open(file, mode, *args, **kwargs)
            self._paths[opened.fileno()] = file
            return opened

        def open_handle(path, flags, *args, **kwargs):
            if flags & WRITES:
                self._count("open", path)
            handle = real_os_open(path, flags, *args, **kwargs)
            self._paths[handle] = path
            return handle

        def fsync(handle):
            self._count("fsync", self._paths.get(handle, ""))
            return real_fsync(handle)

        patch.setattr(io, "open", open_file)
        patch.setattr(builtins, "open", open_file)
        patch.setattr(os, "open", open_handle)
        patch.setattr(os, "fsync", fsync)

    def _guarded(self, real, name):
        def call(path, *args, **kwargs):
            self._count(name, path)
            return real(path, *args, **kwargs)

        return call

    def _count(self, name, path):
        if isinstance(path, int) or not os.fsdecode(path).startswith(self.folder):
            return
        self.calls.append((name, Path(os.fsdecode(path)).name))
        if len(self.calls) - 1 == self.at:
            if isinstance(self.error, OSError):
                self.error.filename = os.fsdecode(path)
            raise self.error

"""A system whose n-th call that writes below a folder, or to stdout, fails."""

import builtins
import io
import os
import sys
import threading
from pathlib import Path

import pyarrow.ipc

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CALLS = ("replace", "rename", "mkdir", "unlink", "remove", "rmdir")
NEEDS_SPACE = {"open", "mkdir", "write", "flush", "close", "fsync", "truncate"}
"""What a full disk refuses; names can be taken away and given all the same."""


class FailingSystem:
    """Counts the calls that write below a folder or to stdout, and fails one of them.

    Arrow streams are written through Python's own files meanwhile, so that their writes count too;
    what SQLite writes is not seen. `failed` is the call that failed, None if the command had ended
    before its turn: where threads share the work no two runs have quite the same calls.

    Args:
        patch: pytest's `monkeypatch`, which ends it.
        folder: Where calls count.
        at: Number of the call that fails, from 0; None fails none.
        error: Makes what it raises.
        lasts: From that call on every call that needs space fails, as on a full disk.
    """

    def __init__(self, patch, folder, at=None, error=None, *, lasts=False):
        self.folder = str(folder)
        self.at, self.error, self.lasts = at, error, lasts
        self.calls = []
        self.failed = None
        self._paths = {}
        for name in CALLS:
            patch.setattr(os, name, self._guarded(getattr(os, name), name))
        self._open, self._os_open, self._fsync = io.open, os.open, os.fsync
        patch.setattr(io, "open", self.open_file)
        patch.setattr(builtins, "open", self.open_file)
        patch.setattr(os, "open", self._open_handle)
        patch.setattr(os, "fsync", self._sync)
        patch.setattr(sys, "stdout", CountedFile(sys.stdout, self, "stdout"))
        real = pyarrow.ipc.new_stream
        patch.setattr(
            pyarrow.ipc, "new_stream", lambda path, schema: real(self.open_file(path, "wb"), schema)
        )

    def open_file(self, file, mode="r", *args, **kwargs):
        """`open`, whose answer counts what is written to it."""
        writes = bool(set(mode) & set("wax+"))
        if writes:
            self.count("open", file)
        opened = self._open(file, mode, *args, **kwargs)
        self._paths[opened.fileno()] = file
        return CountedFile(opened, self, file) if writes and self._is_inside(file) else opened

    def _open_handle(self, path, flags, *args, **kwargs):
        if flags & WRITES:
            self.count("open", path)
        handle = self._os_open(path, flags, *args, **kwargs)
        self._paths[handle] = self._whole(path, kwargs)
        return handle

    def _sync(self, handle):
        self.count("fsync", self._paths.get(handle, ""))
        return self._fsync(handle)

    def _guarded(self, real, name):
        def call(path, *args, **kwargs):
            self.count(name, self._whole(path, kwargs))
            return real(path, *args, **kwargs)

        return call

    def _whole(self, path, kwargs):
        """A path that is relative to an open folder, whole."""
        folder = self._paths.get(kwargs.get("dir_fd"))
        return path if folder is None else os.path.join(folder, path)

    def _is_inside(self, path):
        return not isinstance(path, int) and os.fsdecode(path).startswith(self.folder)

    def count(self, name, path):
        """Take note of a call, and fail it if it is its turn."""
        if path != "stdout" and not self._is_inside(path):
            return
        number = len(self.calls)
        self.calls.append((name, Path(os.fsdecode(path)).name))
        if self._is_due(number) or (self.lasts and self.failed and name in NEEDS_SPACE):
            self.failed = self.failed or self.calls[-1]
            raise self._error(path)

    def _is_due(self, number):
        """Whether it is this call's turn; Ctrl-C waits for the next one of the main thread."""
        if self.at is None or self.failed or number < self.at:
            return False
        in_main = threading.current_thread() is threading.main_thread()
        return in_main or isinstance(self.error(), OSError)

    def _error(self, path):
        error = self.error()
        if isinstance(error, OSError) and self.calls[-1][0] not in ("write", "flush", "close"):
            error.filename = os.fsdecode(path)
        return error


class CountedFile:
    """A file whose writes, flushes and closing count; a write that fails has written a half."""

    def __init__(self, file, system, path):
        self._file, self._system, self._path = file, system, path

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *fault):
        self.close()

    def __iter__(self):
        return iter(self._file)

    def write(self, data):
        """Write all, or the first half and fail."""
        try:
            self._system.count("write", self._path)
        except BaseException:
            self._file.write(data[: len(data) // 2])
            raise
        return self._file.write(data)

    def flush(self):
        """Flush or fail."""
        self._system.count("flush", self._path)
        self._file.flush()

    def truncate(self, *size):
        """Cut or fail."""
        self._system.count("truncate", self._path)
        return self._file.truncate(*size)

    def close(self):
        """Close, and then perhaps say that what was written did not reach the disk."""
        if self._file.closed:
            return
        self._file.close()
        self._system.count("close", self._path)

"""A file system of a few megabytes, for a program that is to find it full.

It is mounted where only that program sees it, and is gone with it: by root, or by whoever may be
root in a user namespace of their own.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOSPC
from io import RawIOBase
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOUNT = 'mount -t tmpfs -o "size=$1m,mode=777" none "$2" && shift 2 && exec "$@"'


def on_small_disk(megabytes: int, module: str, *words: str) -> str:
    """Run a module as a program that is told the disk's folder first; what it prints.

    Where nothing can be mounted the test is skipped.

    Args:
        megabytes: Size of the disk.
        module: The program.
        words: What else it is told.
    """
    if shutil.which("unshare") is None:
        pytest.skip("no disk can be mounted here: there is no program unshare")
    # Short: a server's socket lies in it.
    with tempfile.TemporaryDirectory(prefix="disk-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)  # a server's user enters it
        mount = [*_namespace(), "sh", "-c", MOUNT, "sh", str(megabytes), folder]
        tried = subprocess.run([*mount, "true"], capture_output=True, text=True, check=False)
        if tried.returncode:
            pytest.skip(f"no disk can be mounted here: {tried.stderr.strip()}")
        program = [sys.executable, "-m", module, folder, *words]
        done = subprocess.run(
            [*mount, *program], cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _namespace() -> list[str]:
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--mount", *as_root]


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """While it lasts, the disk has no byte left; afterwards as many as before."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with pytest.raises(OSError, match=os.strerror(ENOSPC)):
                _write_for_ever(file, bytes(size))
    try:
        yield
    finally:
        filler.unlink()


def _write_for_ever(file: RawIOBase, block: bytes) -> None:
    while True:
        file.write(block)

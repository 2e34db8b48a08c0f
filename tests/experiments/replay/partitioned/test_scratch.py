"""Working folders: removed when done, or at the next start where their process was killed."""

import os
import signal
import subprocess
import sys

import pytest

from experiments.replay.partitioned.scratch import Scratch

HOLD = """
import sys, time
from pathlib import Path
from experiments.replay.partitioned.scratch import Scratch
scratch = Scratch(Path(sys.argv[1]))
(scratch.folder / "large").write_bytes(b"0" * 1000)
print(scratch.folder, flush=True)
time.sleep(600)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds a folder, and that folder's path."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield process, process.stdout.readline().strip()
    process.kill()
    process.wait()


def test_a_folder_lives_as_long_as_it_is_used(tmp_path):
    scratch = Scratch(tmp_path)
    assert scratch.folder.parent == tmp_path
    scratch.remove()
    scratch.remove()
    assert not list(tmp_path.iterdir())


def test_a_killed_process_leaves_its_folder_until_the_next_start(tmp_path, other):
    process, left = other
    mine = Scratch(tmp_path)
    assert os.path.exists(os.path.join(left, "large"))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert os.path.exists(left)
    third = Scratch(tmp_path)
    assert not os.path.exists(left)
    assert mine.folder.exists()
    assert third.folder.exists()
    for scratch in (mine, third):
        scratch.remove()

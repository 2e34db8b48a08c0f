"""A folder is written whole or not at all, and what a killed writer leaves is cleared away."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.data.format import whole_folder
from experiments.data.format.whole_folder import mend, new_folder

WRITER = """
import sys, time
from experiments.data.format import whole_folder
def stop(*_):
    print("ready", flush=True)
    time.sleep(60)
if sys.argv[2] == "replacing":
    rename = whole_folder.os.replace
    def replace(source, target):
        stop() if ".new-" in str(source) else rename(source, target)
    whole_folder.os.replace = replace
with whole_folder.new_folder(sys.argv[1]) as folder:
    (folder / "data").write_text("half")
    if sys.argv[2] == "writing":
        stop()
"""


def killed(target: Path, moment: str) -> None:
    """Start a writer, and kill it at a moment."""
    writer = start(target, moment)
    writer.send_signal(signal.SIGKILL)
    writer.wait()


def start(target: Path, moment: str) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(target), moment]
    writer = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    return writer


def write(target: Path, text: str) -> None:
    with new_folder(target) as folder:
        (folder / "data").write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["set", "set.old", "s[e]t", "accents é", "a*"])
def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path, name):
    killed(tmp_path / name, "writing")
    assert len(names(tmp_path)) == 1
    write(tmp_path / name, "whole")
    assert names(tmp_path) == [name]
    assert names(tmp_path / name) == ["data"]


def test_a_writer_killed_while_it_replaces_leaves_the_earlier_folder(tmp_path):
    write(tmp_path / "set", "earlier")
    killed(tmp_path / "set", "replacing")
    assert "set" not in names(tmp_path)
    mend(tmp_path / "set")
    assert (tmp_path / "set" / "data").read_text() == "earlier"


def test_a_writer_at_work_is_left_alone(tmp_path):
    writer = start(tmp_path / "set", "writing")
    try:
        write(tmp_path / "set", "whole")
        assert len(names(tmp_path)) == 2
    finally:
        writer.kill()
        writer.wait()
    mend(tmp_path / "set")
    assert names(tmp_path) == ["set"]


def test_others_neighbours_are_left_alone(tmp_path):
    for name in (".set", ".sets.new-x", ".other.new-1", "set.new-1", ".set.txt"):
        (tmp_path / name).mkdir()
    write(tmp_path / "set", "whole")
    assert len(names(tmp_path)) == 6


@pytest.mark.parametrize(("age", "stays"), [(0, True), (3600, False)])
def test_a_young_folder_without_a_lock_may_have_a_writer(tmp_path, age, stays):
    left = tmp_path / ".set.new-abc"
    left.mkdir()
    at = time.time() - age
    os.utime(left, (at, at))
    mend(tmp_path / "set")
    assert left.exists() == stays


def test_an_error_leaves_nothing(tmp_path):
    write(tmp_path / "set", "earlier")
    with pytest.raises(OSError, match="full"), new_folder(tmp_path / "set"):
        raise OSError("full")
    assert names(tmp_path) == ["set"]
    assert (tmp_path / "set" / "data").read_text() == "earlier"


def test_a_disk_that_is_full_at_the_last_step_leaves_the_earlier_folder(tmp_path, monkeypatch):
    write(tmp_path / "set", "earlier")
    monkeypatch.setattr(whole_folder.os, "replace", _full)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "set", "whole")
    assert (tmp_path / "set" / "data").read_text() == "earlier"


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")

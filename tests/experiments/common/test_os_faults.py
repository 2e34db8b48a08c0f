"""What the system refused is told with the file, the reason and the cure."""

import errno
import os

import pytest

from experiments.common.os_faults import PLACE, SPACE, is_place_wrong, sentence_of


@pytest.mark.parametrize("number", [*PLACE, *SPACE])
def test_a_fault_is_one_line_that_names_the_file(number):
    said = sentence_of(OSError(number, os.strerror(number), "/a/file"))
    assert said.startswith("/a/file: ")
    assert said.endswith(".")
    assert "\n" not in said


def test_a_full_disk_is_the_machines_fault_and_a_folder_without_permission_is_the_places():
    assert not is_place_wrong(OSError(errno.ENOSPC, "x"))
    assert is_place_wrong(PermissionError(errno.EACCES, "x"))
    assert is_place_wrong(OSError(errno.EROFS, "x"))


def test_a_fault_that_is_not_known_is_told_in_the_systems_words():
    said = sentence_of(OSError(errno.ENOLCK, "No locks\navailable"))
    assert said.startswith("A file cannot be written: No locks available. ")

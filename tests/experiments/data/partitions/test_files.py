"""What `partitions.json` may say, and the sentence where it says anything else."""

import json

import pytest

from experiments.common.errors import InputError
from experiments.data.partitions.files import MANIFEST, Manifest, read_manifest

GOOD = Manifest("object", "abc", [0, 4, 9], [[3, 1], [0, 5]])


def test_what_is_written_is_read_again(tmp_path):
    GOOD.write(tmp_path)
    assert read_manifest(tmp_path) == GOOD
    assert (GOOD.n_parts, GOOD.n_shards) == (2, 2)
    assert GOOD.part_offsets(0).tolist() == [0, 3, 4]


def test_a_folder_without_one_names_the_command_that_makes_one(tmp_path):
    with pytest.raises(InputError, match=r"python -m experiments\.partition"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "changed",
    [
        {"by": "segment"},
        {"format": 2},
        {"fingerprint": 7},
        {"shard_bounds": [0]},
        {"shard_bounds": [0, 9, 4]},
        {"shard_bounds": [0, -1, 4]},
        {"shard_bounds": "049"},
        {"slices": []},
        {"slices": [[1]]},
        {"slices": [[1, 2.5]]},
    ],
)
def test_what_it_cannot_say_is_refused(tmp_path, changed):
    (tmp_path / MANIFEST).write_text(json.dumps({**vars(GOOD), **changed}))
    with pytest.raises(InputError, match=r"partitions\.json does not say"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"more": 1}', "\x80"])
def test_what_is_no_manifest_is_refused(tmp_path, text):
    (tmp_path / MANIFEST).write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"partitions\.json cannot be read"):
        read_manifest(tmp_path)

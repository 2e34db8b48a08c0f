"""The fingerprint of a log in partitions does not depend on how it is cut."""

import pytest

from experiments.data.format.folder import load_click_log
from experiments.data.partitioned_log import PartitionedLog
from experiments.data.partitioning import partition_log
from tests.experiments.log_folder import showing, write_folder
from tests.experiments.random_log import make_log


@pytest.mark.parametrize("n_parts", [1, 3, 16])
def test_it_is_that_of_the_whole_log(tmp_path, monkeypatch, n_parts):
    monkeypatch.setattr("experiments.data.partitions.content_mark.PIECE_ROWS", 11)
    folder = write_folder(tmp_path / "log", showing(make_log(8)))
    partition_log(folder, tmp_path / "parts", n_parts)
    assert PartitionedLog(tmp_path / "parts").log.fingerprint == load_click_log(folder).fingerprint


def test_another_log_has_another(tmp_path):
    marks = set()
    for seed in (1, 2):
        folder = write_folder(tmp_path / f"log{seed}", showing(make_log(seed)))
        partition_log(folder, tmp_path / "parts", 2, overwrite=True)
        marks.add(PartitionedLog(tmp_path / "parts").log.fingerprint)
    assert len(marks) == 2

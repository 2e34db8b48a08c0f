"""From the configuration to a click log."""

import pytest

from experiments.common.errors import InputError
from experiments.config.data import DatasetConfig
from experiments.data import open_dataset as prepared
from experiments.data.format.folder import write_click_log
from experiments.data.open_dataset import open_dataset


def test_a_path_is_read_whatever_the_name(folder):
    assert open_dataset(DatasetConfig("folder", str(folder))).name == "tiny"
    assert open_dataset(DatasetConfig("movielens", str(folder))).name == "tiny"


def test_a_known_set_is_prepared_once(tmp_path, monkeypatch, metadata, tables):
    calls = []

    def prepare(folder):
        calls.append(folder)
        write_click_log(folder, metadata, tables)

    monkeypatch.setitem(prepared.PREPARED, "movielens", prepare)
    for _ in range(2):
        assert open_dataset(DatasetConfig("movielens"), tmp_path).n_sessions == 3
    assert calls == [tmp_path / "movielens"]


def test_a_missing_path_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="which is not there"):
        open_dataset(DatasetConfig("folder", str(tmp_path / "gone")))

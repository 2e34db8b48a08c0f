"""The finalists' files: written, read back, refused where damaged."""

import pytest

from experiments.common.errors import InputError
from experiments.study_folder.finalist_files import (
    read_finalists,
    read_importances,
    read_sessions,
    whole_finalists,
    write_importances,
)
from tests.experiments.finished_folder import write_finished_study


def test_finalists_come_back_best_first(tmp_path):
    folder = write_finished_study(tmp_path)
    found = read_finalists(folder)
    assert [item.trial for item in found] == [40, 41, 42, 43, 44]
    gains = [item.gain.gain for item in found]
    assert gains == sorted(gains, reverse=True)


def test_what_was_not_kept_is_none(tmp_path):
    assert read_finalists(tmp_path) == []
    assert read_importances(tmp_path) == {}
    assert read_sessions(tmp_path, "tune", 3) is None


def test_importances_come_back(tmp_path):
    write_importances(tmp_path, {"adjustment_rate": 0.75, "num_iterations": 0.25})
    assert read_importances(tmp_path) == {"adjustment_rate": 0.75, "num_iterations": 0.25}


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"trial": 1}]'])
def test_damaged_finalists_are_named(tmp_path, content):
    folder = write_finished_study(tmp_path)
    (folder / "evidence" / "finalists.json").write_text(content)
    with pytest.raises(InputError, match=r"finalists\.json cannot be read: .*writes it again"):
        read_finalists(folder)


@pytest.mark.parametrize(
    "content", ["[]", '{"a": "b"}', "{", '{"a": 1' + "0" * 400 + "}", "[" * 100_000]
)
def test_damaged_importances_are_named(tmp_path, content):
    folder = write_finished_study(tmp_path)
    (folder / "evidence" / "importances.json").write_text(content)
    with pytest.raises(InputError, match=r"importances\.json cannot be read"):
        read_importances(folder)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(40) + b"PAR1"])
def test_a_damaged_session_table_is_named(tmp_path, content):
    folder = write_finished_study(tmp_path)
    (folder / "evidence" / "tune-40.parquet").write_bytes(content)
    with pytest.raises(InputError, match=r"tune-40\.parquet cannot be read: .*command writes it"):
        read_sessions(folder, "tune", 40)


@pytest.mark.parametrize("name", ["finalists.json", "tune-40.parquet", "tune-43.parquet"])
@pytest.mark.parametrize("content", [b"", b"[", b"\xff\xfe", b'{"trial": 3}'])
def test_what_is_damaged_is_set_aside_to_be_judged_anew(tmp_path, capsys, name, content):
    folder = write_finished_study(tmp_path)
    path = folder / "evidence" / name
    path.write_bytes(content)
    assert whole_finalists(folder) == []
    said = capsys.readouterr().err
    assert f"{name} cannot be read" in said
    assert f"It is {path}.damaged-1 now, and written anew." in said
    assert not path.exists()
    assert path.with_name(f"{name}.damaged-1").read_bytes() == content


def test_finalists_whose_sessions_are_gone_are_judged_anew(tmp_path, capsys):
    folder = write_finished_study(tmp_path)
    (folder / "evidence" / "tune-41.parquet").unlink()
    assert whole_finalists(folder) == []
    assert capsys.readouterr().err == ""


def test_whole_finalists_are_kept(tmp_path):
    folder = write_finished_study(tmp_path)
    assert whole_finalists(folder) == read_finalists(folder) != []

"""Damaged journals: what can be read is kept, what cannot is said, nothing is lost unseen."""

import json

import pytest

from experiments.common.errors import InputError
from experiments.study.journal_repair import repair_journal
from experiments.study.storage import journal_path
from tests.experiments.fake_replay import make_config, open_study, run_study, told


@pytest.fixture
def study(tmp_path):
    """A finished study of four trials, its journal, and what is known of its trials."""
    config = make_config(tmp_path, n_trials=4, enqueue="none")
    records = run_study(config)
    return config, journal_path(str(tmp_path), "tiny"), [told(record) for record in records]


def lines_of(path):
    return path.read_bytes().splitlines(keepends=True)


def index_of(path, code):
    return next(
        number for number, line in enumerate(lines_of(path)) if json.loads(line)["op_code"] == code
    )


def test_a_sound_journal_is_left_as_it_is(study):
    _, path, _ = study
    before = path.read_bytes()
    assert repair_journal(path) is None
    assert path.read_bytes() == before
    assert [item.name for item in path.parent.glob("*.damaged*")] == []


def test_a_journal_that_is_not_there_needs_no_mending(tmp_path):
    assert repair_journal(tmp_path / "none.journal") is None


@pytest.mark.parametrize(
    "garbage",
    [
        b'{"op_code": 7, "x": 0.9{"op_code": 7}\n',
        b"\x00\xff\x00\n",
        b"\n",
        b"[1]\n",
        b"{}\n",
        b"[" * 100_000 + b"\n",
    ],
)
def test_a_line_of_garbage_is_left_out_and_a_copy_kept(study, garbage, capsys):
    config, path, known = study
    lines = lines_of(path)
    sound = b"".join(lines)
    middle = len(lines) // 2
    damaged = b"".join([*lines[:middle], garbage, *lines[middle:]])
    path.write_bytes(damaged)
    records = run_study(config)
    said = capsys.readouterr().err
    assert f"line {middle + 1} is damaged" in said
    assert path.read_bytes().startswith(sound)
    assert path.with_name(f"{path.name}.damaged-1").read_bytes() == damaged
    assert [told(record) for record in records] == known


def test_two_whole_lines_run_together_lose_nothing(study):
    _, path, known = study
    config, lines = study[0], lines_of(path)
    at = index_of(path, 6)
    lines[at - 1] = lines[at - 1].rstrip(b"\n")
    path.write_bytes(b"".join(lines))
    assert repair_journal(path).n_recovered == 2
    assert [told(record) for record in run_study(config)] == known


def test_a_trial_whose_outcome_is_lost_is_run_again(study, capsys):
    config, path, known = study
    lines = lines_of(path)
    at = index_of(path, 8)
    lines[at] = lines[at][:40] + b"\n"
    path.write_bytes(b"".join(lines))
    records = run_study(config)
    assert "is run again" in capsys.readouterr().err
    found = sorted(told(record) for record in records if record.outcome is not None)
    assert found == sorted(known)


def test_a_lost_line_that_made_a_trial_is_refused_and_nothing_changed(study):
    config, path, _ = study
    lines = lines_of(path)
    at = index_of(path, 4)
    lines[at] = lines[at][:40] + b"\n"
    path.write_bytes(b"".join(lines))
    before = path.read_bytes()
    with pytest.raises(InputError, match=f"line {at + 1} is damaged, and it made a trial"):
        open_study(config)
    assert path.read_bytes() == before


def test_a_second_repair_keeps_the_first_copy(study):
    _, path, _ = study
    for _ in range(2):
        path.write_bytes(path.read_bytes() + b"garbage\n")
        repair_journal(path)
    names = sorted(item.name for item in path.parent.glob("*.damaged*"))
    assert names == [f"{path.name}.damaged-1", f"{path.name}.damaged-2"]


def test_a_damaged_journal_that_another_process_has_is_one_sentence(study):
    config, path, _ = study
    holder = open_study(config)
    path.write_bytes(path.read_bytes() + b"garbage\n" + lines_of(path)[-1])
    with pytest.raises(InputError, match="another process has it"):
        open_study(config)
    holder.close()


WRONG = {
    "an operation that does not exist": {"op_code": 99, "trial_id": 0},
    "an id that is no number": {"op_code": 6, "trial_id": "x"},
    "a value that is missing": {"op_code": 6, "trial_id": 0, "state": 1},
    "a state that does not exist": {"op_code": 6, "trial_id": 0, "state": 77, "values": None},
    "a study that is missing": {"op_code": 2, "study_id": 7},
    "a kind of number that is none": {"op_code": True, "study_id": 0},
}


@pytest.mark.parametrize("case", WRONG)
def test_a_line_that_is_whole_but_wrong_is_left_out(study, case):
    config, path, known = study
    lines = lines_of(path)
    at = index_of(path, 4) + 1
    line = json.dumps({**WRONG[case], "worker_id": "w"}).encode() + b"\n"
    path.write_bytes(b"".join([*lines[:at], line, *lines[at:]]))
    assert [told(record) for record in run_study(config)] == known


def test_a_journal_that_cannot_be_applied_is_mended_when_asked(study):
    _, path, _ = study
    lines = lines_of(path)
    line = json.dumps({"op_code": 99, "trial_id": 0, "worker_id": "w"}).encode() + b"\n"
    path.write_bytes(b"".join([*lines, line]))
    assert repair_journal(path) is None
    assert repair_journal(path, replayed=True).lines == (len(lines) + 1,)
    assert path.read_bytes() == b"".join(lines)

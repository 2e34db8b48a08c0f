"""The description of a study's run in MLflow."""

import json

import pytest

from experiments.review.markdown_note import markdown_table, study_note
from experiments.study_folder.finished_study import read_study
from tests.experiments.finished_folder import read_summary, write_finished_study


@pytest.fixture(scope="module")
def output_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    write_finished_study(folder, "adopted")
    write_finished_study(folder, "sealed", with_test=False)
    return folder


def test_the_verdict_comes_first_then_the_table(output_dir):
    note = study_note(read_study(output_dir, "adopted"))
    sentence = read_summary(output_dir / "adopted")["verdict"]["sentence"]
    assert note.startswith(f"**{sentence}**")
    assert note.index("| on the tune sessions |") < note.index("| trial |")


def test_a_sealed_test_says_how_to_open_it(output_dir):
    note = study_note(read_study(output_dir, "sealed"))
    line = f"`python -m experiments.export study=sealed output_dir={output_dir}`"
    assert line in note.splitlines()[0]


def test_every_row_of_a_table_has_the_same_number_of_cells(output_dir):
    note = study_note(read_study(output_dir, "adopted"))
    for table in (block for block in note.split("\n\n") if block.startswith("|")):
        assert len({line.count(" | ") for line in table.splitlines()}) == 1


def test_signs_of_markdown_are_taken_as_they_are():
    table = markdown_table([("a|b", "c"), ("x_y*\nz", "<b>")])
    assert table.splitlines()[0] == r"| a\|b | c |"
    assert table.splitlines()[2] == r"| x\_y\*, z | \<b> |"


def test_a_verdict_on_another_trial_than_the_best_says_so(tmp_path):
    folder = write_finished_study(tmp_path)
    summary = read_summary(folder)
    summary["test"]["trial"] = 41
    (folder / "summary.json").write_text(json.dumps(summary))
    note = study_note(read_study(tmp_path, "planted"))
    assert "- The verdict is on trial 41; the best on the tune sessions is trial 40." in note

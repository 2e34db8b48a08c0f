"""A study that there is not: the nearest name, else all there are."""

import pytest

from experiments.common.errors import InputError
from experiments.config.study_names import (
    check_study,
    nearest_study,
    studies_in,
    unknown_study,
    with_studies,
)


@pytest.fixture
def outputs(tmp_path):
    for name in ("second", "first"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "summary.json").touch()
    (tmp_path / "cards").mkdir()
    return tmp_path


def test_studies_are_the_folders_with_a_summary(outputs):
    assert studies_in(outputs) == ["first", "second"]


def test_a_mistyped_name_is_asked_back(outputs):
    assert unknown_study("frist", outputs).endswith(f"in {outputs}; did you mean first?")
    assert unknown_study("x", outputs).endswith("; there are first, second.")
    assert nearest_study("first", outputs) == "", "a study is not its own neighbour"


def test_a_study_is_not_meant_by_its_own_name(outputs):
    assert unknown_study("first", outputs).endswith("; there are first, second.")


def test_a_study_that_was_never_begun_is_refused_at_once(outputs):
    check_study("first", outputs)
    with pytest.raises(InputError, match="did you mean first"):
        check_study("frist", outputs)


def test_only_the_fault_about_the_study_changes(outputs):
    faults = ["study must be given: study=...", "format must be one of a, got b."]
    told = with_studies(faults, {"study": "???", "output_dir": str(outputs)})
    assert told == [
        f"study must be given: study=NAME; there are first, second in {outputs}.",
        faults[1],
    ]
    assert with_studies(faults, {"study": "a/b", "output_dir": str(outputs)}) == faults

"""What names may be, in words and as they are held to."""

import pytest

from experiments.config.ranges import or_missing, study_name, study_names


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ([], True),
        (["spring", "summer"], True),
        (["spring", "spring"], False),
        (["spring", "a/b"], False),
        (["studies"], False),
        ([["spring"]], False),
        ("spring", False),
    ],
)
def test_names_of_studies_are_a_list_of_such_names_each_once(value, good):
    assert study_names().holds(value) is good


def test_a_name_that_is_missing_is_told_in_other_words():
    assert or_missing(study_name()).holds("???")
    assert not study_name().holds("???")
    assert or_missing(study_name()).words == study_name().words

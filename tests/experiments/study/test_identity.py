"""What must not change while a study goes on."""

from dataclasses import asdict

import pytest

from experiments.common.errors import InputError
from experiments.config.study import GuardrailsConfig
from experiments.study.identity import check_same, definition

SETTINGS = {
    "study": {"name": "s", "seed": 1, "n_trials": 5, "workers": 2, "storage": None},
    "replay": {"n_threads": 2, "n_blocks": 20},
    "tracking": {"name": "mlflow", "uri": None},
    "dataset": {"name": "folder", "path": "here"},
    "output_dir": "outputs",
}


def test_what_trials_depend_on_is_kept_by_dotted_name():
    assert definition(SETTINGS, "f") == {
        "study.name": "s",
        "study.seed": 1,
        "replay.n_blocks": 20,
        "dataset.name": "folder",
        "dataset.fingerprint": "f",
    }


def test_every_guardrail_is_part_of_it():
    guardrails = asdict(GuardrailsConfig())
    found = definition({**SETTINGS, "guardrails": guardrails}, "f")
    assert {f"guardrails.{name}" for name in guardrails} <= set(found)


def test_the_same_definition_passes():
    check_same("s", {"a": 1}, {"a": 1})


def test_a_study_of_an_earlier_version_started_from_none():
    check_same("s", {"a": 1}, {"a": 1, "study.start_from": []})
    with pytest.raises(InputError, match=r"study\.start_from was \[\], is \['spring'\]"):
        check_same("s", {"a": 1}, {"a": 1, "study.start_from": ["spring"]})


def test_every_difference_is_named_with_both_values():
    with pytest.raises(InputError) as caught:
        check_same("mine", {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5, "d": 6})
    said = str(caught.value)
    assert "study.name mine" in said
    assert "b was 2, is 5; c was 3, is None; d was None, is 6" in said
    assert "study.name=" in said

"""What went wrong with MLflow is told without secrets, and with its cure."""

import pytest

from experiments.tracking.trouble import DeletedExperiment, reason_of


def test_a_deleted_experiment_is_named_with_its_cures():
    said = reason_of(DeletedExperiment("shop", "7"))
    assert "the experiment shop was deleted" in said
    assert "mlflow experiments restore --experiment-id 7" in said
    assert said.endswith("tracking.experiment=NAME")


@pytest.mark.parametrize("text", ["API request failed with error code 401", "no password supplied"])
def test_where_a_password_is_wanted_the_variable_is_named(text):
    assert "TRACKING_URI to the whole URL" in reason_of(OSError(text))
    assert "SHOP_URI to the whole URL" in reason_of(OSError(text), "SHOP_URI")


def test_a_long_reason_is_one_short_line():
    said = reason_of(ValueError("a\n" * 1000))
    assert len(said) == 300
    assert "\n" not in said

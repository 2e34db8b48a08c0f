"""One way from a configuration to an adjuster."""

import pytest

from adjuster import AdjusterConfig, PublishedAdjuster, SearchIndexInfo, TorchBasedAdjuster
from adjuster.adjusters.by_config import CLASSES, adjuster_arguments, adjuster_for
from adjuster.config import CHOICES

INDEX = SearchIndexInfo(3)


def test_every_semantics_has_its_class():
    assert set(CLASSES) == set(CHOICES["semantics"])


@pytest.mark.parametrize("semantics", CHOICES["semantics"])
def test_the_adjuster_holds_what_was_configured(semantics):
    config = AdjusterConfig(semantics=semantics, adjustment_rate=0.03, engine="torch")
    adjuster = adjuster_for(INDEX, config)
    assert isinstance(adjuster, CLASSES[semantics])
    assert adjuster.config == config
    assert adjuster.search_index_info == INDEX


def test_arguments_are_all_that_the_class_takes():
    documented = adjuster_arguments(AdjusterConfig(memory="refit"))
    assert TorchBasedAdjuster(INDEX, **documented).config.memory == "refit"
    published = adjuster_arguments(AdjusterConfig(semantics="published", num_iterations=3))
    assert list(published) == [
        "adjustment_rate",
        "num_iterations",
        "softmin_temperature",
        "engine",
    ]
    assert PublishedAdjuster(INDEX, **published).config.num_iterations == 3


def test_a_bias_that_only_a_log_can_tell_is_refused():
    with pytest.raises(ValueError, match="logit_bias must be a number"):
        adjuster_for(INDEX, AdjusterConfig(loss="logistic"))

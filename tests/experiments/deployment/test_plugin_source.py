"""The source of the plugin: literals, class, remarks."""

import ast

import pytest

from adjuster import AdjusterConfig, SelectionConfig
from adjuster.adjusters.by_config import adjuster_arguments
from experiments.deployment.plugin_source import plugin_text
from experiments.replay.settings import Settings

DOCUMENTED = AdjusterConfig(adjustment_rate=0.02, max_drift=0.1)
PUBLISHED = AdjusterConfig(semantics="published", adjustment_rate=0.07)


def text_of(adjuster, *, warning=""):
    settings = Settings(adjuster, SelectionConfig(min_clicks=2))
    return plugin_text(settings, "user_id", "What it is.", warning)


def constants(text):
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
    }


@pytest.mark.parametrize("adjuster", [DOCUMENTED, PUBLISHED])
def test_every_constant_is_a_literal(adjuster):
    found = constants(text_of(adjuster))
    assert found["SETTINGS"] == adjuster_arguments(adjuster)
    assert found["SELECTION"]["min_clicks"] == 2
    assert found["PERSONALIZE_BY"] == "user_id"


def test_the_class_follows_the_semantics():
    assert "return TorchBasedAdjuster(search_index_info" in text_of(DOCUMENTED)
    assert "return PublishedAdjuster(search_index_info" in text_of(PUBLISHED)
    assert set(adjuster_arguments(PUBLISHED)) == {
        *("adjustment_rate", "num_iterations", "softmin_temperature", "engine")
    }
    assert not {"semantics", "interval_seconds"} & set(adjuster_arguments(DOCUMENTED))


def test_a_warning_stands_as_a_comment_above_the_code():
    text = text_of(PUBLISHED, warning="Do not use this. " * 20)
    lines = text.splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("# Do not use this."))
    assert first == 3
    assert first < lines.index("from adjuster import PublishedAdjuster")
    assert max(map(len, lines)) < 100


def test_only_settings_that_need_the_originals_say_so():
    assert "hand it over" in text_of(DOCUMENTED)
    assert text_of(PUBLISHED).count("#") == 3
    restart = text_of(AdjusterConfig(memory="restart"))
    assert "hand over the original vectors, not the copies" in " ".join(
        restart.replace("\n# ", " ").split()
    )
    refit = text_of(AdjusterConfig(memory="refit"))
    assert "hand over the original vectors" in " ".join(refit.replace("\n# ", " ").split())

"""The registry's champion, as a live system follows it."""

import pytest

from adjuster import AdjusterConfig, SearchIndexInfo
from adjuster.live.learning.generations import Champion
from experiments.config.study import TrackingConfig
from experiments.deployment.champion import RegistryChampion
from experiments.deployment.registry import model_name
from experiments.study_folder.layout import StudyFolder
from experiments.tracking.runs import MlflowRuns
from experiments.tracking.study_info import tracking_location
from tests.experiments.deployment.test_registry import (
    DOCUMENTED,
    INDEX,
    INFO,
    deployment,
    register,
)

NAME = model_name(INFO.experiment)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    outputs = StudyFolder(tmp_path_factory.mktemp("out"), "shop")
    MlflowRuns(*tracking_location(TrackingConfig(), outputs, INFO.experiment), INFO).open([], [])
    return outputs


@pytest.mark.slow
def test_the_champion_is_followed_from_version_to_version(outputs, capsys):
    source = RegistryChampion(outputs.tracking_uri, NAME, INDEX, "none")
    assert source.champion() is None
    assert source.champion() is None
    assert capsys.readouterr().err.count("is not followed") == 1
    register(outputs, deployment())
    first = source.champion()
    assert first == Champion(f"{NAME}/1", DOCUMENTED, deployment().settings.selection)
    changed = AdjusterConfig(adjustment_rate=0.5, memory="refit")
    register(outputs, deployment(changed))
    assert source.champion() == Champion(f"{NAME}/2", changed, first.selection)
    # What was the champion before and is it again is known by its name.
    register(outputs, deployment())
    assert source.champion() == first
    assert capsys.readouterr().err == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("index", "scope", "told"),
    [
        (SearchIndexInfo(6, "cosine", "min"), "none", "it was tuned on"),
        (SearchIndexInfo(5, "dot", "min"), "none", "it was tuned on"),
        (INDEX, "user_id", "it personalizes by none, and this system by user_id"),
    ],
)
def test_a_champion_of_another_system_is_not_followed(outputs, capsys, index, scope, told):
    register(outputs, deployment())
    assert RegistryChampion(outputs.tracking_uri, NAME, index, scope).champion() is None
    assert told in capsys.readouterr().err


@pytest.mark.slow
def test_a_registry_that_does_not_answer_is_told_once(tmp_path, capsys):
    source = RegistryChampion(f"sqlite:///{tmp_path}/none/mlflow.db", NAME, INDEX, "none")
    assert source.champion() is None
    said = capsys.readouterr().err
    assert said.startswith(f"The champion of {NAME} at sqlite:///")
    assert "Traceback" not in said

"""The champion: loaded by its alias in a process that knows nothing of the checkout."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from adjuster import (
    AdjusterConfig,
    ImprovementElement,
    ImprovementInput,
    PublishedAdjuster,
    SearchIndexInfo,
    SelectionConfig,
    TorchBasedAdjuster,
)
from experiments.config.study import TrackingConfig
from experiments.deployment.deployment import Deployment
from experiments.deployment.registry import register_champion
from experiments.replay.settings import Settings
from experiments.study_folder.layout import StudyFolder
from experiments.tracking.runs import MlflowRuns
from experiments.tracking.study_info import StudyInfo, tracking_location
from tests.experiments.planted_records import DATASET, provenance

INDEX = SearchIndexInfo(5, "cosine", "min")
DOCUMENTED = AdjusterConfig(adjustment_rate=1 / 30, num_iterations=4, max_drift=0.2)
PUBLISHED = AdjusterConfig(semantics="published", adjustment_rate=0.03)
INFO = StudyInfo("uid-1", "shop", "my: shop/log", {}, DATASET, "ndcg_at_10")

SCRIPT = """
import json, sys
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
assert model.metadata.signature.inputs.input_names()[:2] == ["session_id", "query"]
(shown,) = model.predict(model.input_example).to_dict("records")
assert shown["object_ids"] == ["clicked", "passed over"]
assert shown["vectors"][0] != model.input_example[0]["vectors"][0]
answer = model.predict(json.load(open(sys.argv[3]))).to_dict("records")
import adjuster
json.dump({"rows": answer, "code": adjuster.__file__}, open(sys.argv[4], "w"))
"""


def deployment(adjuster=DOCUMENTED, decision="adopt"):
    planted = provenance(decision=decision, trial=3, text="it's better.")
    return Deployment(Settings(adjuster, SelectionConfig()), INDEX, "none", planted)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """An output folder whose MLflow store has the study's run."""
    outputs = StudyFolder(tmp_path_factory.mktemp("out"), "shop")
    MlflowRuns(*tracking_location(TrackingConfig(), outputs, INFO.experiment), INFO).open([], [])
    return outputs


def client_of(outputs):
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=outputs.tracking_uri, registry_uri=outputs.tracking_uri)


def register(outputs, chosen):
    return register_champion(TrackingConfig(), outputs, INFO, chosen)


def session_rows(seed=0):
    """Sessions as the model takes them, with ragged parts; two share an object of one owner."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(2, 5)).tolist()
    rows = []
    for number, owner in enumerate(["ann", "ann", None]):
        vectors = [shared, *(rng.normal(size=(1 + k, 5)).tolist() for k in range(3))]
        rows.append(
            {
                "session_id": f"s{number}",
                "query": rng.normal(size=(1 + number % 2, 5)).tolist(),
                "object_ids": ["shared", *(f"o{number}{k}" for k in range(3))],
                "clicked": [number == 0, True, False, False],
                "vectors": vectors,
                "user_id": owner,
                "originals": [(np.array(rows) * 2).tolist() for rows in vectors]
                if number == 1
                else None,
            }
        )
    return rows


def adjusted_directly(adjuster, rows):
    """What the adjuster itself makes of these sessions, by session and object."""

    def element(row, k):
        originals = row["originals"]
        return ImprovementElement(
            row["object_ids"][k],
            np.array(row["vectors"][k]),
            user_id=row["user_id"],
            original=None if originals is None else np.array(originals[k]),
        )

    def chosen(row, flag):
        return [element(row, k) for k, mine in enumerate(row["clicked"]) if mine is flag]

    inputs = [
        ImprovementInput(
            row["session_id"],
            ImprovementElement("q", np.array(row["query"])),
            chosen(row, True),
            chosen(row, False),
        )
        for row in rows
    ]
    return {
        (session.session_id, element.id): element.vector.tolist()
        for session in adjuster.adjust_vectors(inputs)
        for element in (*session.clicked_elements, *session.non_clicked_elements)
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "adjuster"),
    [
        pytest.param(
            DOCUMENTED, TorchBasedAdjuster.from_config(INDEX, DOCUMENTED), id="documented"
        ),
        pytest.param(
            PUBLISHED,
            PublishedAdjuster(INDEX, 0.03, engine="auto"),
            id="published",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_the_champion_gives_the_adjusters_vectors_in_a_process_of_its_own(
    outputs, tmp_path, config, adjuster
):
    model, trouble = register(outputs, deployment(config))
    assert (model, trouble) == ("models:/my- shop-log@champion", "")
    rows = session_rows()
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    subprocess.run(
        [sys.executable, "-c", SCRIPT, outputs.tracking_uri, model, "rows.json", "answer.json"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert answer["code"].endswith("/code/adjuster/__init__.py"), "the bundled package is used"
    wanted = adjusted_directly(adjuster, rows)
    assert [row["session_id"] for row in answer["rows"]] == ["s0", "s1", "s2"]
    for row, came in zip(answer["rows"], rows, strict=True):
        assert row["object_ids"] == came["object_ids"]
        for name, vector, before in zip(
            row["object_ids"], row["vectors"], came["vectors"], strict=True
        ):
            assert vector == wanted[row["session_id"], name]
            assert vector != before


def test_the_same_configuration_is_one_version_and_another_one_is_the_champion(outputs):
    name = "my- shop-log"
    register(outputs, deployment())
    first = client_of(outputs).get_model_version_by_alias(name, "champion")
    register(outputs, deployment())
    again = client_of(outputs).get_model_version_by_alias(name, "champion")
    assert again.version == first.version
    other = replace(DOCUMENTED, adjustment_rate=0.5)
    register(outputs, deployment(other, decision="keep off"))
    champion = client_of(outputs).get_model_version_by_alias(name, "champion")
    assert int(champion.version) > int(first.version)
    assert champion.tags["verdict"] == "keep off"
    assert champion.tags["trial"] == "3"
    sentence, what = champion.description.split("\n\n")
    assert sentence == "Keep off: it's better."
    assert what.startswith("Trial 3 of study ")
    assert "sealed test" in client_of(outputs).get_registered_model(name).description
    assert client_of(outputs).get_run(champion.run_id).data.tags["study.key"] == "study"


def test_no_pickle_is_in_the_model_and_nothing_of_the_checkout(outputs):
    register(outputs, deployment())
    # Where the store is a folder, whoever loads a model leaves compiled code beside it.
    files = [
        path
        for path in outputs.artifacts.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert {"served_model.py", "best.json", "kernel.py"} <= {path.name for path in files}
    assert {path.suffix for path in files} == {"", ".py", ".json", ".typed", ".yaml", ".txt"}
    models = [path.read_text() for path in files if path.name == "MLmodel"]
    assert models
    assert not any("experiments" in text for text in models)


@pytest.mark.slow
def test_a_store_without_the_studys_run_is_said(tmp_path):
    model, trouble = register(StudyFolder(tmp_path, "shop"), deployment())
    assert model == ""
    assert "could not be registered in MLflow at sqlite:///" in trouble
    assert "the run of study shop is not there" in trouble


def test_no_tracking_registers_nothing(tmp_path):
    config = TrackingConfig(name="none")
    answer = register_champion(config, StudyFolder(tmp_path, "shop"), INFO, deployment())
    assert answer == ("", "")
    assert list(tmp_path.iterdir()) == []

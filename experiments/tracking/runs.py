"""The runs of a study in MLflow: found again by their tags, made once, mended where half made."""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from experiments.common.code_version import code_tags
from experiments.common.files import flatten, to_yaml
from experiments.study.records import FAILED, PRUNED, BaselineRecord, TrialRecord
from experiments.study_folder.judged_records import FinalistRecord
from experiments.study_folder.summary import Summary
from experiments.tracking.lengths import LONGEST_PARAM, LONGEST_TAG, key_of, shortened
from experiments.tracking.new_store import make_store
from experiments.tracking.run_content import (
    FINALIST,
    Conclusion,
    Point,
    RunContent,
    best_tags,
    finalist_tags,
    milliseconds,
    points,
    sealed_metrics,
    shown_metrics,
    trial_points,
    trial_tags,
    verdict_tags,
)
from experiments.tracking.study_info import StudyInfo, runs_page
from experiments.tracking.trouble import DeletedExperiment

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

PARENT, TRIAL, BASELINE = "study", "trial", "baseline"
CONFIG = "config.yaml"
KIND, MODELS = "mlflow.experimentKind", "custom_model_development"
"""MLflow's own tag, which tells an experiment with runs from one with traces and prompts."""

STATUSES = {FAILED: "FAILED", PRUNED: "KILLED"}
"""State of a trial → status of its run; `FINISHED` for others."""

PARAMS_PER_CALL = 100
METRICS_PER_CALL = 1000
ClaimLock = Callable[[], AbstractContextManager[None]]
"""Makes a context in which no other machine makes runs of the same study."""

PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
}
"""How long a tracking server may keep a sweep waiting at its end, unless the user says otherwise:
seconds, not MLflow's own many minutes. What is not delivered waits in the study."""

LOGGED = {"mlflow": logging.WARNING, "alembic": logging.WARNING, "mlflow.store": logging.CRITICAL}
"""What its libraries may log: an error of a store is raised too, and told in a sentence."""

QUIET = {"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}
"""No line about each run between the sweep's own."""


class MlflowRuns:
    """The runs of one study in MLflow; every method may be called again after a failure."""

    def __init__(
        self,
        uri: str,
        artifact_location: str | None,
        info: StudyInfo,
        lock: ClaimLock | None = None,
    ) -> None:
        self._uri = uri
        self._artifact_location = artifact_location
        self._info = info
        self._is_shared = lock is not None
        self._lock = lock or nullcontext
        self._client: MlflowClient | None = None
        self._experiment = ""
        self._parent = ""
        self._runs: dict[str, Run] = {}
        self._made: set[str] = set()

    def open(self, records: Sequence[TrialRecord], baselines: Sequence[BaselineRecord]) -> None:
        """Find or make the study's run, and deliver the baselines and trials it lacks."""
        with self._lock():
            self._runs = self._known()
            parent = self._runs.pop(PARENT, None)
            self._parent = (
                parent.info.run_id if parent else self._create(PARENT, self._info.name, {})
            )
            if parent is None or parent.data.tags.get("state") is None:
                self._describe_study()
        self.client.update_run(self._parent, status="RUNNING")
        for baseline in baselines:
            self.deliver_baseline(baseline)
        for record in records:
            self.deliver_trial(record)

    def deliver_baseline(self, record: BaselineRecord) -> None:
        """Log a baseline's run, unless it is there."""
        self._deliver(
            f"{BASELINE}:{record.name}",
            record.name,
            RunContent(
                tags={"baseline": record.name},
                params=flatten(record.params, keep_empty=False),
                metrics=list(points(shown_metrics(record.metrics, self._info.objective))),
            ),
        )

    def deliver_trial(self, record: TrialRecord) -> None:
        """Log a trial's run, unless it is there: what varies, and all settings in a file."""
        config = {**self._info.config, **record.settings}
        self._deliver(
            f"{TRIAL}:{record.number}",
            f"trial-{record.number:04d}",
            RunContent(
                tags=trial_tags(record),
                params=record.values,
                metrics=list(trial_points(record, self._info.objective)),
                files={CONFIG: to_yaml(config)},
            ),
            status=STATUSES.get(record.state, "FINISHED"),
            times=(record.started, record.finished),
        )

    def close(self, records: Sequence[TrialRecord], summary: Summary) -> None:
        """Deliver what is missing and end the study's run with its best trial's numbers."""
        for record in records:
            self.deliver_trial(record)
        counts = {f"trials_{state}": float(n) for state, n in summary.trials.by_state().items()}
        self._tell_best(summary, counts, {"state": "finished"})
        self.client.set_terminated(self._parent, "FINISHED")

    def _tell_best(
        self, summary: Summary, metrics: Mapping[str, float], tags: Mapping[str, str]
    ) -> None:
        """Show on the study's run the trial that it stands for, among other numbers and tags."""
        best = dict(summary.best.metrics) if summary.best else {}
        best |= shown_metrics(best, summary.objective)
        told = {**best_tags(summary), **tags}
        self._log(self._parent, {}, list(points({**best, **metrics})), told)
        self.client.log_dict(self._parent, summary.to_dict(), "summary.json")

    def deliver_conclusion(self, conclusion: Conclusion) -> None:
        """Tell the finalists' runs so, and the study's run the sealed test and the files."""
        self.open([], [])
        self._tell_finalists(conclusion.finalists)
        sealed = conclusion.summary.sealed
        tags = {**verdict_tags(sealed), "mlflow.note.content": conclusion.note}
        self._tell_best(conclusion.summary, sealed_metrics(sealed), tags)
        for name, text in conclusion.files.items():
            self.client.log_text(self._parent, text, name)
        self.client.set_terminated(self._parent, "FINISHED")

    def _tell_finalists(self, finalists: Sequence[FinalistRecord]) -> None:
        """Put what is known of the finalists on their trials' runs, and take it off others'."""
        told = {
            f"{TRIAL}:{record.trial}": finalist_tags(record, rank)
            for rank, record in enumerate(finalists, start=1)
        }
        for key, run in self._runs.items():
            if key in told:
                self._log(run.info.run_id, {}, [], told[key])
            elif FINALIST in run.data.tags:
                for name in (tag for tag in run.data.tags if tag.startswith(FINALIST)):
                    self.client.delete_tag(run.info.run_id, name)

    def _deliver(
        self,
        key: str,
        name: str,
        content: RunContent,
        *,
        status: str = "FINISHED",
        times: tuple[float | None, float | None] = (None, None),
    ) -> None:
        """Make the run of a key, unless it is there; one that was begun and left is dropped."""
        if self._is_delivered(key):
            return
        with self._lock():
            if self._is_shared:
                self._runs |= self._known(key)
            if self._is_delivered(key):
                return
            if key in self._runs:
                self.client.delete_run(self._runs.pop(key).info.run_id)
            nested = {**content.tags, "mlflow.parentRunId": self._parent}
            run_id = self._create(key, name, nested, times[0])
            self._log(run_id, content.params, content.metrics, {})
            for path, text in content.files.items():
                self.client.log_text(run_id, text, path)
            self.client.set_terminated(run_id, status, milliseconds(times[1]))
            self._made.add(key)

    def _is_delivered(self, key: str) -> bool:
        found = self._runs.get(key)
        return key in self._made or (found is not None and found.info.status != "RUNNING")

    @property
    def page(self) -> str:
        """The runs of the experiment, the newest study's first; "" until the study is there."""
        if not self._parent:
            return ""
        return runs_page(self._experiment)

    @property
    def client(self) -> "MlflowClient":
        """The client, made when first needed: MLflow takes seconds to import."""
        if self._client is None:
            from mlflow.tracking import MlflowClient

            for name, level in LOGGED.items():
                logging.getLogger(name).setLevel(level)
            for name, value in {**PATIENCE, **QUIET}.items():
                os.environ.setdefault(name, value)
            make_store(self._uri)
            self._client = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)
            self._experiment = self._open_experiment(self._client)
        return self._client

    def _open_experiment(self, client: "MlflowClient") -> str:
        found = client.get_experiment_by_name(self._info.experiment)
        if found is not None and found.lifecycle_stage == "deleted":
            raise DeletedExperiment(self._info.experiment, str(found.experiment_id))
        if found is not None:
            if KIND not in found.tags:
                client.set_experiment_tag(found.experiment_id, KIND, MODELS)
            return str(found.experiment_id)
        made = client.create_experiment(
            self._info.experiment,
            artifact_location=self._artifact_location,
            tags={KIND: MODELS},
        )
        return str(made)

    def _known(self, key: str | None = None) -> dict[str, "Run"]:
        """The study's runs by their key, or the one of a key."""
        query = f"tags.`study.uid` = '{self._info.uid}'"
        query += f" and tags.`study.key` = '{key}'" if key else ""
        client, token = self.client, None
        found: dict[str, Run] = {}
        while True:
            page = client.search_runs([self._experiment], query, max_results=1000, page_token=token)
            for run in page:
                found.setdefault(run.data.tags["study.key"], run)
            token = page.token
            if not token:
                return found

    def _describe_study(self) -> None:
        from experiments.tracking.logged_data import logged_data

        info = self._info
        config = to_yaml(dict(info.config))
        tags = {
            "dataset.name": info.dataset.name,
            "dataset.fingerprint": info.dataset.fingerprint,
            "config": config,
            **code_tags(),
            "state": "running",
        }
        self.client.log_inputs(self._parent, datasets=[logged_data(info.dataset, info.config)])
        self._log(self._parent, flatten(info.config, keep_empty=False), [], tags)
        self.client.log_text(self._parent, config, CONFIG)

    def _create(
        self, key: str, name: str, tags: Mapping[str, str], start: float | None = None
    ) -> str:
        own = {"study.uid": self._info.uid, "study": self._info.name, "study.key": key}
        run = self.client.create_run(
            self._experiment,
            start_time=milliseconds(start or time.time()),
            tags=_short({**own, "kind": key.split(":")[0], **tags}),
            run_name=name,
        )
        return str(run.info.run_id)

    def _log(
        self,
        run_id: str,
        params: Mapping[str, Any],
        metrics: Sequence[Point],
        tags: Mapping[str, str],
    ) -> None:
        from mlflow.entities import Metric, Param, RunTag

        entities = [
            Param(key_of(key), shortened(str(value), LONGEST_PARAM))
            for key, value in params.items()
        ]
        numbers = [Metric(key_of(key), value, when, step) for key, value, when, step in metrics]
        labels = [RunTag(key, value) for key, value in _short(tags).items()]
        for start in range(0, max(1, len(entities)), PARAMS_PER_CALL):
            self.client.log_batch(
                run_id,
                params=entities[start : start + PARAMS_PER_CALL],
                metrics=numbers[:METRICS_PER_CALL] if start == 0 else (),
                tags=labels if start == 0 else (),
            )


def _short(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags cut to the length that every MLflow server takes."""
    return {key_of(key): shortened(value, LONGEST_TAG) for key, value in tags.items()}

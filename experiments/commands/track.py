"""``python -m experiments.track study=NAME``: deliver to MLflow what it does not have yet.

The study's own storage holds every trial; a server that was down or slow misses some of them.
"""

import sys
from dataclasses import replace

from experiments.common.console import say
from experiments.common.secrets import without_user_info
from experiments.common.steps import step
from experiments.config.command import FAILED, OK
from experiments.config.commands import TrackConfig
from experiments.study_folder.summary import read_summary
from experiments.tracking.study_info import review_text, tracking_uri
from experiments.tracking.tracker import open_tracker
from experiments.workflow.publishing import info_of, show_in_mlflow, write_report
from experiments.workflow.studies import load_study


def track(command: TrackConfig) -> int:
    """Bring MLflow up to a finished or interrupted study; the exit status."""
    config, study, outputs = load_study(command.output_dir, command.study)
    tracking = replace(config.tracking, name="mlflow")
    if command.uri is not None:
        tracking = replace(tracking, uri=command.uri, uri_env=None)
    elif command.uri_env is not None:
        tracking = replace(tracking, uri=None, uri_env=command.uri_env)
    uri = tracking_uri(tracking) or outputs.tracking_uri
    try:
        records, baselines = study.records(), study.baselines()
        uid = study.attribute("uid")
    finally:
        study.close()
    summary = read_summary(outputs.summary)
    info = info_of(config, uid, summary.dataset, summary.objective)
    with step("Delivering to MLflow", quiet=True):
        tracker = open_tracker(tracking, outputs, info)
        tracker.start(records, list(baselines.values()))
        trouble = tracker.finish(records, summary)
    if not trouble and summary.best is not None:
        trouble = show_in_mlflow(tracking, outputs, info, write_report(outputs))
    if trouble:
        print(trouble, file=sys.stderr)
        return FAILED
    say(f"Study {command.study} is in MLflow: {without_user_info(uri)}")
    say(review_text(tracking, outputs, tracker.page))
    return OK

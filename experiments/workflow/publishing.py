"""What a study shows at its end: the report on disk, the evidence in MLflow."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from experiments.common.files import write_atomic
from experiments.config.commands import SweepConfig
from experiments.review.figures.of_study import study_figures
from experiments.review.html_page import build_page
from experiments.review.markdown_note import study_note
from experiments.study_folder.finished_study import read_study
from experiments.study_folder.layout import Outputs
from experiments.tracking.run_content import Evidence
from experiments.tracking.runs import StudyInfo
from experiments.tracking.tracker import track_evidence


def write_report(outputs: Outputs) -> dict[str, str]:
    """Write the report of a study that has its other files.

    Args:
        outputs: Where the study's files lie.

    Returns:
        File name → text: the report, and each figure as Plotly's JSON.
    """
    study = read_study(outputs.root, outputs.study)
    figures = study_figures(study)
    page = build_page(study, figures)
    write_atomic(outputs.report, page)
    drawn = {f"figures/{item.name}.json": item.figure.to_json() for item in figures}
    return {outputs.report.name: page, **drawn}


def show_in_mlflow(
    config: SweepConfig, outputs: Outputs, info: StudyInfo, files: Mapping[str, str]
) -> str:
    """Show the finalists, the sealed test and the report in MLflow.

    Args:
        config: The sweep's configuration.
        outputs: Where the study's files lie.
        info: The study.
        files: The answer of `write_report`.

    Returns:
        What went wrong in words, or "".
    """
    study = read_study(outputs.root, outputs.study)
    kept: dict[str, Any] = {
        key: study.summary[key] for key in ("verdict", "test") if key in study.summary
    }
    evidence = Evidence(study.finalists, kept, files, study_note(study))
    return track_evidence(config.tracking, outputs, info, evidence)


def study_info(config: SweepConfig, uid: str, dataset: Mapping[str, str]) -> StudyInfo:
    """What MLflow must know of a study.

    Args:
        config: The sweep's configuration.
        uid: Names the study for ever.
        dataset: ``name`` and ``fingerprint``.
    """
    return StudyInfo(
        uid=uid,
        name=config.study.name,
        experiment=config.tracking.experiment or dataset["name"],
        config=asdict(config),
        dataset={"name": dataset["name"], "fingerprint": dataset["fingerprint"]},
    )

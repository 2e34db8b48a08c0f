"""What a study shows at its end: the report on disk, the conclusion in MLflow."""

from collections.abc import Mapping

from experiments.common.files import write_atomic
from experiments.common.steps import step
from experiments.config.commands import SweepConfig
from experiments.config.saved import shown_config
from experiments.config.study import TrackingConfig
from experiments.review.csv_table import csv_table
from experiments.review.figures.of_study import study_figures
from experiments.review.html_page import build_page
from experiments.review.markdown_note import markdown_report, study_note
from experiments.review.static_image import static_image
from experiments.study_folder.finished_study import read_study
from experiments.study_folder.layout import StudyFolder
from experiments.study_folder.summary import DatasetRecord
from experiments.tracking.run_content import Conclusion
from experiments.tracking.study_info import StudyInfo, study_info
from experiments.tracking.tracker import track_conclusion


def write_report(outputs: StudyFolder) -> dict[str, str]:
    """Write the report of a study that has its other files, and beside it what mail can hold.

    Args:
        outputs: Where the study's files lie.

    Returns:
        File name → text: the report as page, Markdown and table, and each figure as Plotly's JSON.
    """
    with step("Drawing the report", quiet=True):
        study = read_study(outputs.root, outputs.study)
        figures = study_figures(study)
        page, image = build_page(study, figures), static_image(study)
    texts = {".html": page, ".md": markdown_report(study), ".csv": csv_table(study)}
    for suffix, text in texts.items():
        write_atomic(outputs.report.with_suffix(suffix), text)
    write_atomic(outputs.report.with_suffix(".png"), image)
    drawn = {f"figures/{item.name}.json": item.figure.to_json() for item in figures}
    return {f"{outputs.report.stem}{suffix}": text for suffix, text in texts.items()} | drawn


def show_in_mlflow(
    config: TrackingConfig, outputs: StudyFolder, info: StudyInfo, files: Mapping[str, str]
) -> str:
    """Show the finalists, the sealed test and the report in MLflow.

    Args:
        config: Where MLflow is, if anywhere.
        outputs: Where the study's files lie.
        info: The study.
        files: The answer of `write_report`.

    Returns:
        What went wrong in words, or "".
    """
    if config.name == "none":
        return ""
    with step("Delivering the conclusion to MLflow", quiet=True):
        study = read_study(outputs.root, outputs.study)
        conclusion = Conclusion(study.summary, study.finalists, files, study_note(study))
        return track_conclusion(config, outputs, info, conclusion)


def info_of(config: SweepConfig, uid: str, dataset: DatasetRecord, objective: str) -> StudyInfo:
    """What MLflow must know of a study.

    Args:
        config: The sweep's configuration.
        uid: Names the study for ever.
        dataset: Which data it sees.
        objective: The metric that it maximizes.
    """
    shown = shown_config(config)
    return study_info(uid, config.study.name, dataset, config.tracking, shown, objective)

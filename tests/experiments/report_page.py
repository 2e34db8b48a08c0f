"""The report's page of a study, and what a reader sees of it."""

import re

from experiments.review.figures.of_study import study_figures
from experiments.review.html_page import build_page as page_of
from experiments.study_folder.finished_study import FinishedStudy


def build_page(study: FinishedStudy) -> str:
    return page_of(study, study_figures(study))


def visible_text(page: str) -> str:
    """The page without scripts, styles and tags."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).split())

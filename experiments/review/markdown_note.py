"""A study in Markdown: what MLflow shows as the description of its run."""

from experiments.review.rows import Rows, finalist_rows, result_rows
from experiments.review.terminal import FLATTERED, answer
from experiments.study_folder.finished_study import FinishedStudy


def study_note(study: FinishedStudy) -> str:
    """Verdict, result table and finalists.

    Args:
        study: What the study left on disk.
    """
    blocks = [
        *_verdict(study),
        markdown_table(result_rows(study)),
        _escape(FLATTERED),
        _escape(answer(study.summary)),
    ]
    if study.finalists:
        blocks.append(markdown_table(finalist_rows(study.finalists)))
    blocks.append("`report.html`, among the artifacts, shows every figure.")
    return "\n\n".join(blocks)


def markdown_table(rows: Rows) -> str:
    """A table whose first column is text and whose others are figures; header first.

    Example:
        >>> print(markdown_table([("", "MRR"), ("logged *", ".701")]))
        |  | MRR |
        | :--- | ---: |
        | logged \\* | .701 |
    """
    head, *body = rows
    rule = (":---", *("---:" for _ in head[1:]))
    lines = [map(_escape, head), rule, *(map(_escape, row) for row in body)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _verdict(study: FinishedStudy) -> list[str]:
    verdict = study.summary.get("verdict")
    if not verdict:
        command = f"`python -m experiments.export study={study.name}`"
        return [f"**Not decided yet.** {command} opens the sealed test, once, on the best trial."]
    more = [*verdict["reasons"][1:], *verdict["notes"]]
    return [f"**{_escape(verdict['sentence'])}**", *([_list(more)] if more else [])]


def _list(sentences: list[str]) -> str:
    return "\n".join(f"- {_escape(sentence)}" for sentence in sentences)


def _escape(text: str) -> str:
    """Text that Markdown leaves as it is, on one line."""
    for sign in "\\*_|<":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", ", ")

"""A study in Markdown: what MLflow shows as the description of its run."""

from collections.abc import Sequence

from experiments.review.answer import FLATTERED, VerdictLines, verdict_lines
from experiments.review.rows import Rows, finalist_rows, result_rows, sealed_rows
from experiments.study_folder.finished_study import FinishedStudy


def study_note(study: FinishedStudy) -> str:
    """The answer, result table and finalists.

    Args:
        study: What the study left on disk.
    """
    blocks = [
        *_verdict(verdict_lines(study.summary, best=study.tune_best, opening=study.opening)),
        markdown_table(result_rows(study)),
        _escape(FLATTERED),
    ]
    if study.test:
        blocks.append(markdown_table(sealed_rows(study.test)))
    if study.finalists:
        blocks.append(markdown_table(finalist_rows(study.finalists)))
    blocks.append("`report.html`, among the artifacts, shows every figure.")
    return "\n\n".join(blocks)


def markdown_table(rows: Rows) -> str:
    """A table whose first column is text and whose others are numbers; header first.

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


def _verdict(lines: VerdictLines) -> list[str]:
    command = f" `{lines.command}` {lines.purpose}" if lines.command else ""
    first = f"**{_escape(lines.sentence)}**{command}"
    return [first, *([_list(lines.more)] if lines.more else [])]


def _list(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {_escape(sentence)}" for sentence in sentences)


def _escape(text: str) -> str:
    """Text that Markdown leaves as it is, on one line."""
    for sign in "\\*_|<":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", ", ")

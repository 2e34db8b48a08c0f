"""A study in Markdown: for mail and papers, and as MLflow shows it at the study's run."""

from collections.abc import Sequence

from experiments.review.answer import FLATTERED, VerdictLines, question, verdict_lines
from experiments.review.certainty import certainty_rows
from experiments.review.rows import Rows, finalist_rows, result_rows, sealed_rows, setting_rows
from experiments.study_folder.finished_study import FinishedStudy


def study_note(study: FinishedStudy) -> str:
    """The answer, result table and finalists, for who has the other files at hand.

    Args:
        study: What the study left on disk.
    """
    return "\n\n".join([*_blocks(study), "`report.html`, among the artifacts, shows every figure."])


def markdown_report(study: FinishedStudy) -> str:
    """The same under its question, with how sure it is and the settings, to stand alone.

    Args:
        study: What the study left on disk.
    """
    blocks = [f"# {_escape(question(study.summary))}", *_blocks(study)]
    blocks.append(markdown_table(certainty_rows(study.summary), n_left=2))
    settings = setting_rows(study)
    if settings:
        blocks.append(markdown_table(settings))
    return "\n\n".join(blocks) + "\n"


def _blocks(study: FinishedStudy) -> list[str]:
    blocks = [
        *_verdict(verdict_lines(study.summary, best=study.tune_best, opening=study.opening)),
        markdown_table(result_rows(study)),
        _escape(FLATTERED),
    ]
    if study.test:
        blocks.append(markdown_table(sealed_rows(study.test)))
    if study.finalists:
        blocks.append(markdown_table(finalist_rows(study.finalists)))
    return blocks


def markdown_table(rows: Rows, *, n_left: int = 1) -> str:
    """A table whose first columns are text and whose others are numbers; header first.

    Args:
        rows: The cells.
        n_left: Number of columns that are text.

    Example:
        >>> print(markdown_table([("", "MRR"), ("logged *", ".701")]))
        |  | MRR |
        | :--- | ---: |
        | logged \\* | .701 |
    """
    head, *body = rows
    rule = (":---" if column < n_left else "---:" for column in range(len(head)))
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

"""The finalists and the sealed test, as text under the table of a sweep."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.common.wording import grid, interval_text, p_text, signed

HEAD = ("finalists", "over no adjustment", "p", "over published defaults", "p", "bystanders")
LEGEND = (
    "Gains over means of each user, 95 % intervals clustered by user, p by paired randomisation "
    "(Holm); on the\nsessions that chose these trials: the sealed test decides. Bystanders: "
    "queries whose feedback was withheld."
)


def finalist_table(finalists: Sequence[Mapping[str, Any]]) -> str:
    """The finalists against both references and on bystanders; "" without any.

    Args:
        finalists: The records that `judge_study` answers.
    """
    if not finalists:
        return ""
    lines = grid([HEAD, *(_row(item) for item in finalists)], n_left=len(HEAD))
    return "\n".join([*lines, LEGEND])


def _row(item: Mapping[str, Any]) -> tuple[str, ...]:
    gain, over_defaults = item["gain"], item["gain_over_defaults"]
    return (
        f"trial {item['trial']}",
        interval_text(gain),
        p_text(gain["p_holm"]),
        interval_text(over_defaults),
        p_text(over_defaults["p_holm"]),
        interval_text(item["bystanders"]),
    )


def sealed_text(kept: Mapping[str, Any]) -> str:
    """Verdict, tune gain, test gain and their gap, as text.

    Args:
        kept: The summary's ``verdict`` and ``test``.
    """
    verdict, test = kept["verdict"], kept["test"]
    lines = [verdict["sentence"], *(f"- {line}" for line in _more(verdict)), ""]
    for name, key in (
        ("tune gain over no adjustment", "tune"),
        ("test gain over no adjustment", "test"),
        ("test gain over published defaults", "test_over_defaults"),
        ("bystanders on the test", "bystanders"),
    ):
        lines.append(f"{name:34} {interval_text(test[key])}")
    lines.append(f"{'optimism (tune gain - test gain)':34} {signed(test['optimism'])}")
    return "\n".join(lines)


def _more(verdict: Mapping[str, Any]) -> list[str]:
    return [*verdict["reasons"][1:], *verdict["notes"]]

"""What logs call a click, and what to say where none of their actions is one."""

import re
from collections import Counter
from collections.abc import Collection

from experiments.data.intake.intake import Intake

CLICKS = (
    "click",
    "item_click",
    "product_click",
    "result_click",
    "search_result_click",
    "document_click",
    "doc_click",
    "object_click",
    "click_through",
    "clickthrough",
)
N_ACTIONS = 20
"""Actions that are told apart; the rest count as others."""


def action(name: object) -> str:
    """The name of an action as it is compared: `Item Click`, `item-click` are `item_click`.

    Example:
        >>> action("Item Click"), action("item-click"), action(None)
        ('item_click', 'item_click', 'none')
    """
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", str(name)).strip()
    return re.sub(r"[\s\-.]+", "_", words).lower()


class Actions:
    """Tells clicks from other actions, and which others there were.

    Args:
        field: The field that names an event's action, as the log calls it.
        word: What a reader calls such a name.
        types: Actions that are clicks; None takes all.
    """

    def __init__(self, field: str, word: str, types: Collection[str] | None) -> None:
        self._field, self._word = field, word
        self._types = None if types is None else {action(name) for name in types}
        self._others: Counter[str] = Counter()
        self._n_clicks = 0

    def is_click(self, name: object) -> bool:
        """Whether an action is a click."""
        is_click = self._types is None or action(name) in self._types
        self._n_clicks += is_click
        return is_click

    def pass_over(self, name: object) -> None:
        """Count an action that is no click."""
        self._others[action(name)] += 1

    def tell(self, file: str, intake: Intake) -> None:
        """Count what was passed over by name; a file without any click is refused."""
        names = self._others.most_common(N_ACTIONS)
        for name, n_rows in names:
            intake.leave_out("events", f"{self._word} {name}, no click", n_rows)
        rest = self._others.total() - sum(n for _, n in names)
        intake.leave_out("events", f"other {self._word}s, no clicks", rest)
        if self._others and not self._n_clicks:
            there = ", ".join(f"{name} ({n:,})" for name, n in names)
            wanted = ", ".join(sorted(self._types or ()))
            what = (
                f"no event is a click: {self._field} must be one of {wanted}; the file has "
                f"{there}. Say click_types=[…] if one of these is a click"
            )
            intake.reject_file(file, what)

"""What one trial tries: the adjuster's settings and the rule that picks its sessions."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig


@dataclass(frozen=True)
class Settings:
    """One configuration of the improvement pipeline."""

    adjuster: AdjusterConfig
    selection: SelectionConfig

    def with_values(self, values: Mapping[str, Any]) -> "Settings":
        """A copy with these fields of the adjuster or the selection changed, checked again.

        Raises:
            ValueError: For a name that neither has, or a value out of range.
        """
        rule = {item.name for item in fields(SelectionConfig)}
        return Settings(
            self.adjuster.with_values({k: v for k, v in values.items() if k not in rule}),
            replace(self.selection, **{k: v for k, v in values.items() if k in rule}),
        )

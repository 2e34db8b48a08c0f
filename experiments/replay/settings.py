"""What one trial tries: the adjuster's settings and the rule that picks its sessions."""

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, fields, replace
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

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for equal settings, and hashable."""
        return (*astuple(self.adjuster), *astuple(self.selection))

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """All fields, by ``adjuster`` and ``selection``."""
        return {"adjuster": asdict(self.adjuster), "selection": asdict(self.selection)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Mapping[str, Any]]) -> "Settings":
        """The settings that `to_dict` wrote, checked again."""
        return cls(AdjusterConfig(**data["adjuster"]), SelectionConfig(**data["selection"]))

    def value(self, name: str) -> Any:
        """The value of a field of the adjuster or the selection."""
        holder = self.adjuster if hasattr(self.adjuster, name) else self.selection
        return getattr(holder, name)

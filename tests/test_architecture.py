"""ARCHITECTURE.md and CONTRIBUTING.md speak of files and names that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = (
    ROOT,
    ROOT / "adjuster",
    ROOT / "experiments",
    ROOT / "tests" / "experiments",
    ROOT / "adjuster" / "adjusters",
    ROOT / "adjuster" / "metrics",
    ROOT / "adjuster" / "live",
    ROOT / "adjuster" / "fused_engine",
    ROOT / "experiments" / "data",
)


def there(name: str) -> bool:
    """Whether `name`, a path from some room on, is a file or folder, or a name in one."""
    if any((folder / name.rstrip("/")).exists() for folder in FOLDERS):
        return True
    path, _, rest = name.partition(".")
    for folder in FOLDERS:
        file = folder / f"{path}.py"
        last = rest.split(".")[-1]
        if last and file.is_file() and re.search(rf"\b{last}\b", file.read_text("utf-8")):
            return True
    return False


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_path_that_is_named_is_there(page):
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text("utf-8"), flags=re.DOTALL)
    named = [
        name for name in re.findall(r"`([\w./]+)`", text) if "/" in name and "NAME" not in name
    ]
    assert len(named) > 10
    assert [name for name in named if not there(name)] == []


def test_a_path_or_name_that_is_not_there_is_noticed():
    assert there("replay/schedule.build_schedule")
    assert there("data/format/")
    assert not there("replay/schedule.build_nothing")
    assert not there("replay/nothing.py")

"""The README's figures: run anew, written between the marks, nothing else touched."""

from pathlib import Path

import pytest

from experiments.benchmarks import readme_figures
from experiments.benchmarks.readme_figures import (
    BLOCK,
    PARTS,
    Ran,
    main,
    with_blocks,
    write_figures,
)
from experiments.common.errors import InputError

ROOT = Path(__file__).parents[3]
PAGE = """\
# Title
<!-- figures: sweep -->
old
<!-- end of figures -->
prose
<!-- figures: verdict -->
<!-- end of figures -->
end
"""
SWEPT = "Worth it: yes.\n\nno adjustment   .7\nbest   .8\n\nbest configuration: x\nall files: y\n"


class FakeRun:
    """Prints what a sweep, an export and a benchmark would."""

    def __init__(self):
        self.commands = []

    def __call__(self, arguments):
        self.commands.append(arguments[0])
        text = {"sweep": SWEPT, "export": "Adopt: it " + "is so " * 40 + "\nmore\n"}
        return Ran(text.get(arguments[0], "\nshape  seconds\na  1\n\nFigures: f.json\n"), 61.4)


@pytest.fixture
def readme(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(PAGE)
    return path


def test_a_part_is_written_between_its_marks_and_again_the_same(readme):
    run = FakeRun()
    write_figures(readme, ["sweep"], run)
    text = readme.read_text()
    assert "```\nWorth it: yes.\n\nno adjustment   .7\nbest   .8\n```\n\nIt took 61 s on " in text
    assert "old" not in text
    assert "all files" not in text
    quoted = [line for line in text.splitlines() if line.startswith("> ")]
    assert quoted[0].startswith("> Adopt: it is so")
    assert len(quoted) > 1
    assert max(map(len, quoted)) <= readme_figures.WIDTH
    assert text.startswith("# Title\n")
    assert "\nprose\n" in text
    assert text.endswith("\nend\n")
    write_figures(readme, [], run)
    assert readme.read_text() == text
    assert run.commands == ["sweep", "export"] * 2, "parts without a place are not run"


def test_a_benchmarks_table_names_its_command_and_the_machine(readme):
    readme.write_text("<!-- figures: replay -->\n<!-- end of figures -->\n")
    write_figures(readme, ["replay"], FakeRun())
    text = readme.read_text()
    assert f"`python -m experiments.benchmark replay` on {readme_figures.machine()}:" in text
    assert "```\nshape  seconds\na  1\n```" in text


@pytest.mark.parametrize(
    ("names", "said"), [(["swep"], "PART must be one of sweep, "), (["live"], "no place for live")]
)
def test_a_part_that_cannot_be_written_is_refused_before_anything_runs(readme, names, said):
    run = FakeRun()
    with pytest.raises(InputError, match=said):
        write_figures(readme, ["sweep", *names], run)
    assert run.commands == []
    assert readme.read_text() == PAGE


def test_a_command_that_fails_leaves_the_page_as_it_was(readme, capsys, monkeypatch):
    monkeypatch.setattr(readme_figures.sys, "executable", "/bin/false")
    assert main(["sweep", "--readme", str(readme)]) == 1
    assert "ended with status 1" in capsys.readouterr().err
    assert readme.read_text() == PAGE


def test_a_command_is_run_as_a_user_would():
    ran = readme_figures.run_command_line(["sweep", "--version"])
    assert ran.text.startswith("click-feedback-adjuster")
    assert ran.seconds > 0


def test_the_readmes_blocks_are_those_of_parts_and_hold_figures():
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    found = {match[2]: match[0] for match in BLOCK.finditer(page)}
    assert page.count("<!-- figures:") == page.count("<!-- end of figures -->") == len(found)
    assert set(found) <= {block for part in PARTS.values() for block in part.blocks}
    assert {"sweep", "verdict", "replay", "study"} <= set(found)
    assert "best on tune" in found["sweep"].lower()
    assert with_blocks(page, {}) == page

"""``make readme-figures``: run the README's commands and write what they print between its marks.

A block stands between ``<!-- figures: NAME -->`` and ``<!-- end of figures -->``; what is between
is never written by hand. A part of `PARTS` fills one block or more.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.common.console import fitted
from experiments.common.errors import InputError, Outage
from experiments.common.files import write_atomic
from experiments.config.command import OK, ended

WIDTH = 106
"""Characters of a line of a block: a table of all columns fits."""

BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)
BELOW_THE_ANSWER = "best configuration:"
"""With this line a sweep begins to say where its files are."""

Blocks = Mapping[str, str]
"""Block → its text."""


@dataclass(frozen=True)
class Ran:
    """A command that was run.

    Args:
        text: What it printed.
        seconds: How long it took.
    """

    text: str
    seconds: float


Run = Callable[[Sequence[str]], Ran]
"""Runs a command of `experiments` with its arguments."""


@dataclass(frozen=True)
class Part:
    """Commands whose figures belong together.

    Args:
        blocks: The blocks that it fills.
        measure: Takes what runs a command, and a new folder for what the commands write; returns
            the text of each block.
    """

    blocks: tuple[str, ...]
    measure: Callable[[Run, Path], Blocks]


def _sweep(run: Run, folder: Path) -> Blocks:
    """The two commands of the first screen: the sweep's answer, the sealed test's verdict."""
    swept = run(["sweep", f"output_dir={folder}"])
    exported = run(["export", "study=movielens", f"output_dir={folder}"])
    answer = swept.text.partition(BELOW_THE_ANSWER)[0].strip("\n")
    verdict = exported.text.strip().partition("\n")[0]
    took = f"It took {swept.seconds:.0f} s on {machine()}."
    return {
        "sweep": f"{fenced(answer)}\n\n{took}",
        "verdict": "\n".join(f"> {line}" for line in fitted(verdict, WIDTH - 2).split("\n")),
    }


def _benchmark(name: str, block: str) -> Part:
    """A part of the benchmark, whose table is the block."""

    def measure(run: Run, folder: Path) -> Blocks:
        ran = run(["benchmark", name, "--output", str(folder / "figures.json")])
        table = ran.text.partition("Figures: ")[0].strip("\n")
        command = f"`python -m experiments.benchmark {name}` on {machine()}:"
        return {block: f"{command}\n\n{fenced(table)}"}

    return Part((block,), measure)


PARTS: dict[str, Part] = {
    "sweep": Part(("sweep", "verdict"), _sweep),
    "speed": _benchmark("adjuster", "speed"),
    "replay": _benchmark("replay", "replay"),
    "study": _benchmark("study", "study"),
    "live": _benchmark("live", "live"),
}


def fenced(text: str) -> str:
    """A text as it was printed, in lines that a page has room for."""
    return f"```\n{fitted(text, WIDTH)}\n```"


def machine() -> str:
    """The machine in words."""
    return f"{os.cpu_count()} cores of {_processor()}, Python {platform.python_version()}"


def _processor() -> str:
    found = Path("/proc/cpuinfo")
    text = found.read_text(encoding="utf-8") if found.exists() else ""
    named = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return " ".join(named[1].split()) if named else platform.machine()


def with_blocks(page: str, blocks: Blocks) -> str:
    """A page whose blocks of these names are these texts; all else stays as it is.

    Args:
        page: Markdown.
        blocks: Block → its text.

    Example:
        >>> with_blocks("<!-- figures: a -->\\nold\\n<!-- end of figures -->", {"a": "new"})
        '<!-- figures: a -->\\nnew\\n<!-- end of figures -->'
    """
    return BLOCK.sub(
        lambda found: (
            f"{found[1]}{blocks[found[2]]}\n{found[3]}" if found[2] in blocks else found[0]
        ),
        page,
    )


def write_figures(readme: Path, names: Sequence[str], run: Run) -> None:
    """Measure parts one by one, each written when it is done.

    Args:
        readme: The page.
        names: Of `PARTS`; none means all whose blocks are on the page.
        run: Runs a command.

    Raises:
        InputError: Before anything is run, if there is no such part or it has no block there.
    """
    for name in _chosen(readme, names):
        with tempfile.TemporaryDirectory() as folder:
            blocks = PARTS[name].measure(run, Path(folder))
        # Read anew: someone may have written meanwhile.
        write_atomic(readme, with_blocks(readme.read_text(encoding="utf-8"), blocks))
        print(f"{readme}: {', '.join(blocks)}")


def _chosen(readme: Path, names: Sequence[str]) -> list[str]:
    there = {found[2] for found in BLOCK.finditer(readme.read_text(encoding="utf-8"))}
    placed = [name for name, part in PARTS.items() if there.issuperset(part.blocks)]
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise InputError(f"PART must be one of {', '.join(PARTS)}, got {', '.join(unknown)}.")
    homeless = [name for name in names if name not in placed]
    if homeless:
        raise InputError(
            f"{readme} has no place for {', '.join(homeless)}: write <!-- figures: NAME --> and "
            "<!-- end of figures --> where the figures shall stand."
        )
    return list(names) or placed


def run_command_line(arguments: Sequence[str]) -> Ran:
    """Run a command as a user would; its progress is shown.

    Raises:
        Outage: If it fails.
    """
    begun = time.monotonic()
    command = [sys.executable, "-m", f"experiments.{arguments[0]}", *arguments[1:]]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != OK:
        told = " ".join(arguments)
        raise Outage(f"{told} ended with status {done.returncode}: its block stays as it was.")
    return Ran(done.stdout, time.monotonic() - begun)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the figures of the parts asked for; the exit status, as every command's."""
    parser = argparse.ArgumentParser(prog="make readme-figures", description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help=f"of {', '.join(PARTS)}; all placed by default",
    )
    parser.add_argument("--readme", type=Path, default=Path("README.md"), help="the page")
    arguments = parser.parse_args(argv)

    def run() -> int:
        write_figures(arguments.readme, arguments.parts, run_command_line)
        return OK

    return ended(run)


if __name__ == "__main__":
    sys.exit(main())

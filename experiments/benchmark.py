"""``python -m experiments.benchmark [PART …]``: measure this machine, print, keep the figures."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from adjuster.nearest import did_you_mean
from experiments.benchmarks.parts import PARTS, measure_part
from experiments.common.errors import InputError
from experiments.common.files import write_json
from experiments.config.command import OK, ended

PACKAGES = ("torch", "numpy", "numba")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the parts asked for, print their tables, and merge their figures into the JSON.

    Args:
        argv: Arguments; the process's own by default.

    Returns:
        The exit status, as every command's.
    """

    def run() -> int:
        arguments = _parse(argv)
        return _run(arguments.parts or list(PARTS), arguments.output, _options(arguments))

    return ended(run)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    # Long because it lists all that can be asked for.
    parser = argparse.ArgumentParser(prog="python -m experiments.benchmark", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; all by default"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("outputs/benchmark.json"), help="the JSON to write"
    )
    parser.add_argument("--logs", type=int, metavar="N", help="calibration: logs of each kind (20)")
    parser.add_argument(
        "--kind",
        action="append",
        metavar="TEXT",
        help="calibration, search: only logs whose name holds this; may be given again",
    )
    parser.add_argument("--seeds", type=int, metavar="N", help="search: studies of each log (10)")
    parser.add_argument(
        "--random", type=int, metavar="N", help="search: random settings of each shop (2000)"
    )
    parser.add_argument(
        "--with",
        action="append",
        dest="search",
        metavar="SETTING=VALUE",
        help="search: how, in settings of the sweep (sampler=forest); may be given again",
    )
    parser.add_argument("--sessions", type=int, metavar="N", help="scale: sessions (50,000)")
    parser.add_argument("--partitions", type=int, metavar="N", help="scale: partitions (8)")
    parser.add_argument(
        "--in-memory", type=int, metavar="N", help="scale: sessions held in memory (1,000,000)"
    )
    parser.add_argument(
        "--scope", action="append", metavar="NAME", help="scale: user_id or none (both)"
    )
    parser.add_argument(
        "--logs-in", metavar="DIR", help="scale: where its logs stay for another run"
    )
    parser.add_argument(
        "--postgres",
        metavar="URL",
        help="live: a PostgreSQL server with pgvector to be measured too, postgresql://…",
    )
    return parser.parse_args(argv)


def _options(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """What single parts are asked for, by part."""
    asked = {
        "calibration": {"n_logs": arguments.logs, "words": arguments.kind},
        "scale": {
            "n_sessions": arguments.sessions,
            "n_parts": arguments.partitions,
            "scopes": arguments.scope,
            "folder": arguments.logs_in,
            "in_memory": arguments.in_memory,
        },
        "search": {
            "n_seeds": arguments.seeds,
            "n_random": arguments.random,
            "words": arguments.kind,
            "search": arguments.search,
        },
        "live": {"postgres": arguments.postgres},
    }
    return {
        part: {name: value for name, value in options.items() if value is not None}
        for part, options in asked.items()
    }


def _run(parts: list[str], output: Path, options: dict[str, dict[str, Any]]) -> int:
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        meant = did_you_mean(unknown[0], PARTS)
        raise InputError(f"PART must be one of {', '.join(PARTS)}, got {', '.join(unknown)}{meant}")
    _known(output)  # What cannot be written to is told before the work, not after it.
    for part in parts:
        measured = measure_part(part, **options.get(part, {}))
        print(f"\n{measured.table}\n")
        write_json(output, {**_known(output), **_machine(), **measured.figures})
    print(f"Figures: {output}")
    return OK


def _known(output: Path) -> dict[str, Any]:
    """Figures of earlier runs, which stay until their part is measured again."""
    if not output.exists():
        return {}
    try:
        known = json.loads(output.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        known = None
    if not isinstance(known, dict):
        raise InputError(
            f"{output} must hold the JSON of an earlier benchmark. Move it away, or choose "
            "another file with --output."
        )
    return known


def _machine() -> dict[str, Any]:
    """What the figures were measured on."""
    versions = {f"machine.{name}": version(name) for name in PACKAGES}
    return {
        "machine.cores": os.cpu_count(),
        "machine.python": platform.python_version(),
        "machine.processor": platform.machine(),
        **versions,
    }


if __name__ == "__main__":
    sys.exit(main())

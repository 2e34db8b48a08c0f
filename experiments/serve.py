"""``python -m experiments.serve worker|api|all``: the live system, its worker and its interface."""

import sys
from collections.abc import Sequence

from adjuster.nearest import nearest
from experiments.common.steps import step
from experiments.config.command import run_command
from experiments.config.serve import ROLES, ServeConfig


def serve(config: ServeConfig) -> int:
    """Run what was asked for until it is told to stop; the exit status."""
    with step("Starting", quiet=True):
        from experiments.commands.serve import serve as run
    return run(config)


def spoken(arguments: Sequence[str]) -> list[str]:
    """The command's words as settings.

    Example:
        >>> spoken(["worker", "--once", "serve.batch_size=64"])
        ['role=worker', 'once=true', 'serve.batch_size=64']
    """
    words = {"--once": "once=true"} | {role: f"role={role}" for role in ROLES}
    first = list(arguments[:1])
    if first and nearest(first[0], ROLES):  # What its fault says then is nearer than a setting's.
        words.setdefault(first[0], f"role={first[0]}")
    return [words.get(argument, argument) for argument in arguments]


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("serve", serve, spoken(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())

"""Which code made a run: the versions of the packages, and the git commit where there is one."""

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("torch", "numpy", "numba", "optuna", "mlflow", "hydra-core")
"""Packages whose versions stand beside every result."""
HERE = Path(__file__).parent

PROJECT = "click-feedback-adjuster"


def version_text() -> str:
    """This project's name and version, for ``--version``."""
    try:
        return f"{PROJECT} {version(PROJECT)}"
    except PackageNotFoundError:
        return f"{PROJECT}, not installed: run from a checkout"


def code_tags() -> dict[str, str]:
    """Tags in which MLflow looks for them.

    Returns:
        ``version.<package>`` → version, and MLflow's own names for the source and its commit.
    """
    tags = {f"version.{name}": version(name) for name in PACKAGES}
    tags |= {"mlflow.source.name": "experiments.sweep", "mlflow.source.type": "LOCAL"}
    commit = git_commit()
    return tags | ({"mlflow.source.git.commit": commit} if commit else {})


def git_commit(folder: Path = HERE) -> str:
    """The commit that is checked out, with ``-dirty`` after it where files were changed since.

    Args:
        folder: A Python package.

    Returns:
        "" where git does not hold the package: an installed one, or a checkout without git.
    """
    if not _git(folder, "ls-files", "__init__.py"):
        return ""
    return _git(folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

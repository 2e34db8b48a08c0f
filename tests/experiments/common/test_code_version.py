"""Which code made a run."""

import subprocess
from importlib.metadata import version

from experiments.common.code_version import code_tags, git_commit


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_is_named_and_that_files_were_changed_since(tmp_path):
    (tmp_path / "__init__.py").write_text("")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "one")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert git_commit(tmp_path) == commit
    (tmp_path / "__init__.py").write_text("x = 1\n")
    assert git_commit(tmp_path) == f"{commit}-dirty"


def test_a_package_that_git_does_not_hold_has_no_commit(tmp_path):
    (tmp_path / "__init__.py").write_text("")
    assert git_commit(tmp_path) == ""
    git(tmp_path, "init")
    assert git_commit(tmp_path) == ""


def test_without_git_there_is_no_commit(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "mlflow.source.git.commit" not in code_tags()


def test_the_packages_are_named_with_their_versions():
    assert code_tags()["version.optuna"] == version("optuna")

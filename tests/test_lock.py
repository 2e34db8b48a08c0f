"""`requirements.lock`: the versions of `constraints.txt`, each with the hash of its file."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKED = re.compile(r"([a-z0-9][a-z0-9._-]*)==(\S+) --hash=sha256:[0-9a-f]{64}")


def lines_of(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, str]:
    found = [LOCKED.fullmatch(line) for line in lines_of("requirements.lock")]
    return {plain(match[1]): match[2] for match in found if match}


def test_every_line_of_the_lock_has_a_version_and_a_hash() -> None:
    assert len(locked()) == len(lines_of("requirements.lock")) > 100


def test_lock_and_constraints_name_the_same_versions() -> None:
    pairs = (line.split("==") for line in lines_of("constraints.txt"))
    assert locked() == {plain(name): version for name, version in pairs}


def package(name: str, version: str, **hashes: str) -> dict:
    archive = {"archive_info": {"hashes": hashes}} if hashes else {"dir_info": {}}
    return {"metadata": {"name": name, "version": version}, "download_info": archive}


def test_a_report_of_pip_becomes_lines() -> None:
    write = runpy.run_path(str(ROOT / ".ci" / "write_lock.py"))["lines"]
    packages = [
        package("Torch", "2.13.0+cpu", sha256="b" * 64, md5="c"),
        package("numpy", "2.4.6", sha256="a" * 64),
        package("this-project", "0.1.0"),
    ]
    assert write({"install": packages}) == [
        f"numpy==2.4.6 --hash=sha256:{'a' * 64}",
        f"torch==2.13.0 --hash=sha256:{'b' * 64}",
    ]

"""Turn the report of `pip install --dry-run --report -` into a lock with hashes: `make lock`."""

import json
import sys

HEADING = """\
# Every package of CI, each with the hash of its file, for Linux on x86_64 with CPython 3.11 and
# torch for the CPU; elsewhere constraints.txt has the same versions. Written by `make lock`.
"""


def lines(report: dict) -> list[str]:
    """A line a package, in order of the names; what has no archive is the project itself."""
    found = []
    for package in report["install"]:
        name, version = package["metadata"]["name"], package["metadata"]["version"]
        hashes = package["download_info"].get("archive_info", {}).get("hashes", {})
        if "sha256" in hashes:
            public = version.partition("+")[0]
            found.append(f"{name.lower()}=={public} --hash=sha256:{hashes['sha256']}")
    return sorted(found)


if __name__ == "__main__":
    print(HEADING + "\n".join(lines(json.load(sys.stdin))))

"""A small click log as users would have it, and the same one in partitions."""

from pathlib import Path

from experiments.data.partitioning import partition_log
from tests.experiments.log_folder import showing, write_folder
from tests.experiments.random_log import make_log

N_PARTS = 3


def log_in_parts(path: Path) -> tuple[Path, Path]:
    """Folders of the whole log and of its `N_PARTS` partitions, written below `path`."""
    log = showing(make_log(4, n_sessions=90, n_users=9, span_seconds=3_000_000))
    folder = write_folder(path / "log", log)
    partition_log(folder, path / "parts", N_PARTS)
    return folder, path / "parts"

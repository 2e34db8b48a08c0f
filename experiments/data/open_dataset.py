"""From the configuration's `dataset` to a click log: read a folder, or prepare a known set."""

import sys
from collections.abc import Callable
from pathlib import Path

from experiments.config.data import DatasetConfig
from experiments.data.format.click_log import ClickLog
from experiments.data.format.folder import load_click_log
from experiments.data.made.movielens import prepare_movielens
from experiments.data.made.simulated import prepare_simulated

PREPARED: dict[str, Callable[[Path], None]] = {
    "movielens": prepare_movielens,
    "simulated": prepare_simulated,
}
"""Data set → what writes its folder."""


def open_dataset(config: DatasetConfig, data_dir: str | Path = "data") -> ClickLog:
    """Read the data set that a configuration names.

    Args:
        config: With a path, that folder is read. Without, ``<data_dir>/<name>`` is, and is
            prepared first where it is absent.
        data_dir: Where prepared sets lie.

    Raises:
        InputError: If the folder is missing or faulty, or the set cannot be prepared.
    """
    if config.path:
        return load_click_log(Path(config.path).expanduser())
    folder = Path(data_dir) / config.name
    if not folder.exists():
        print(f"Preparing the data set {config.name} in {folder} (once) …", file=sys.stderr)
        PREPARED[config.name](folder)
    return load_click_log(folder)

"""From the configuration's `dataset` to a click log: read a folder, or prepare a known set."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from experiments.common.errors import InputError
from experiments.common.steps import step
from experiments.config.data import DatasetConfig
from experiments.data.format.click_log import ClickLog
from experiments.data.format.folder import load_click_log
from experiments.data.made.kinds import PLANTED
from experiments.data.made.movielens import prepare_movielens
from experiments.data.made.simulated import prepare_simulated
from experiments.data.partitions.files import MANIFEST

PREPARED: dict[str, Callable[[Path], None]] = {
    "movielens": prepare_movielens,
    "simulated": prepare_simulated,
    "planted": partial(prepare_simulated, config=PLANTED.config),
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
    folder = folder_of(config, data_dir)
    refuse_partitions(folder)
    with step(f"Reading {folder}", quiet=True):
        return replace(load_click_log(folder), person=config.person)


def is_partitioned(folder: Path) -> bool:
    """Whether a log in partitions lies in a folder."""
    return (folder / MANIFEST).is_file()


def refuse_partitions(folder: Path) -> None:
    """Refuse a log in partitions where all of it is to be in memory.

    Raises:
        InputError: If it is one.
    """
    if is_partitioned(folder):
        raise InputError(
            f"dataset.path must be a whole data set here, got {str(folder)!r}, which is a log in "
            "partitions: a sweep reads one with engine=local or engine=ray, and export, evaluate "
            "and compare then do, too. Name the data set it was made of."
        )


def folder_of(config: DatasetConfig, data_dir: str | Path = "data") -> Path:
    """Where the data set lies, prepared first where it is a known one and absent."""
    if config.path:
        return Path(config.path).expanduser()
    folder = Path(data_dir) / config.name
    if not folder.exists():
        with step(f"Preparing the data set {config.name} in {folder} (once)"):
            PREPARED[config.name](folder)
    return folder

"""The schema of logs in partitions: how one is cut, and what a sweep replays."""

from dataclasses import dataclass

from omegaconf import MISSING

from adjuster.ranges import at_least, between, check_settings, one_of, or_null, setting
from experiments.config.ranges import a_path
from experiments.config.ray_address import ray_address

CUTS = ("auto", "user", "object")
ENGINES = ("memory", "local", "ray")
MOST_PARTS = 1024


def asked_cut(by: str) -> str | None:
    """What a log is to be cut by, as its writers take it: None where the log decides.

    Example:
        >>> asked_cut("object"), asked_cut("auto")
        ('object', None)
    """
    return None if by == CUTS[0] else by


@dataclass
class CutDatasetConfig:
    """Which data set to cut."""

    path: str = setting(MISSING, a_path(), "A folder in the data set format.")

    def __post_init__(self) -> None:
        check_settings(self, "dataset")


@dataclass
class PartitionConfig:
    """Which data set to cut into partitions, and into how many."""

    dataset: CutDatasetConfig = setting(factory=CutDatasetConfig)
    output: str = setting(MISSING, a_path(), "The folder to write.")
    parts: int = setting(
        16,
        between(1, MOST_PARTS),
        "Partitions; each must fit into memory with what is worked out of it, some 150 bytes an "
        "impression.",
    )
    by: str = setting(
        "auto",
        one_of(*CUTS),
        "What decides where a result goes: its `user`, or its `object`, which serves vectors of "
        "any owner; `auto`: the user where the data set's own scope is user_id, else the object.",
    )
    overwrite: bool = setting(False, text="Replace a data set that is there.")

    def __post_init__(self) -> None:
        check_settings(self, "")


@dataclass
class EngineConfig:
    """How much of the log is in memory while it is replayed; the figures do not depend on it."""

    name: str = setting(
        "memory",
        one_of(*ENGINES),
        "`memory`: all of the log; `local`: one partition after the other; `ray`: partitions side "
        "by side, in processes of this machine or of others.",
    )
    parts: int | None = setting(
        None,
        or_null(between(1, MOST_PARTS)),
        "For `local` and `ray`: cut the data set into so many first; null where `dataset.path` is "
        "a log in partitions.",
    )
    address: str = setting(
        "auto",
        ray_address(),
        "For `ray`: `local`, one of its own on this machine; `ray://host:port`, a cluster, each of "
        "whose machines reads the partitions under the same path; `auto`: the Ray that runs on "
        "this machine, else as `local`.",
    )
    actors: int | None = setting(
        None,
        or_null(at_least(1)),
        "For `ray`: processes at most, each of which holds partitions on `replay.n_threads` cores "
        "(0: one core); null is as many as there are free cores.",
    )

    def __post_init__(self) -> None:
        check_settings(self, "engine")

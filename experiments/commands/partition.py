"""``python -m experiments.partition``: cut a data set, so that a sweep needs one part in memory."""

from experiments.common.console import say
from experiments.common.steps import step
from experiments.config.command import OK
from experiments.config.partitions import PartitionConfig, asked_cut
from experiments.config.printed_command import printed_command
from experiments.data.partitioning import partition_log
from experiments.data.partitions.log_writer import Partitioned


def partition(config: PartitionConfig) -> int:
    """Cut a data set into partitions, and say what there is."""
    with step("cutting", unit="rows", quiet=True) as advance:
        made = partition_log(
            config.dataset.path,
            config.output,
            config.parts,
            by=asked_cut(config.by),
            overwrite=config.overwrite,
            progress=advance,
        )
    tell(config.output, made)
    return OK


def tell(output: str, made: Partitioned) -> None:
    """Say what a log in partitions holds, and how it is replayed."""
    say(
        f"{output}: {made.n_sessions:,} sessions and {made.n_impressions:,} impressions in "
        f"{made.n_parts} partitions by {made.by}."
    )
    settings = {
        "dataset": "folder",
        "dataset.path": output,
        "engine": "local",
        # What a sweep takes by itself needs all clicks at once; clicks as they are, every log has.
        "objective.estimator": "naive",
    }
    say(f"replay it: {printed_command('sweep', settings)}")

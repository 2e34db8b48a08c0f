"""``python -m experiments.simulate``: write the log of a shop whose truth is known."""

from experiments.commands.partition import tell
from experiments.common.console import say
from experiments.common.steps import step
from experiments.config.command import OK
from experiments.config.data import SimulateConfig
from experiments.config.partitions import asked_cut
from experiments.config.printed_command import printed_command
from experiments.data.format.folder import load_click_log
from experiments.data.made.simulated import prepare_simulated
from experiments.data.made.simulated_parts import prepare_in_partitions


def simulate(config: SimulateConfig) -> int:
    """Simulate, write, and say what there is; a whole data set is read again to check."""
    return _whole(config) if config.parts is None else _in_partitions(config, config.parts)


def _whole(config: SimulateConfig) -> int:
    prepare_simulated(config.output, config.simulated, config.seed, overwrite=config.overwrite)
    log = load_click_log(config.output)
    n_clicks = len(log.event_impression)
    say(
        f"{config.output}: {log.n_sessions:,} sessions of {log.n_users:,} users, "
        f"{log.n_impressions:,} impressions of {log.n_objects:,} objects, {n_clicks:,} clicks"
        f"{', which carry no signal' if config.simulated.followed == 'position' else ''}."
    )
    replay = printed_command("sweep", {"dataset": "folder", "dataset.path": str(config.output)})
    say(f"replay it: {replay}")
    return OK


def _in_partitions(config: SimulateConfig, n_parts: int) -> int:
    with step("drawing", unit="sessions", quiet=True) as advance:
        made = prepare_in_partitions(
            config.output,
            n_parts,
            config.simulated,
            config.seed,
            by=asked_cut(config.by),
            overwrite=config.overwrite,
            progress=advance,
        )
    tell(config.output, made)
    return OK

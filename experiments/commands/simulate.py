"""``python -m experiments.simulate``: write the log of a shop whose truth is known."""

from experiments.common.console import say
from experiments.config.command import OK
from experiments.config.data import SimulateConfig
from experiments.config.printed_command import printed_command
from experiments.data.format.folder import load_click_log
from experiments.data.made.simulated import prepare_simulated


def simulate(config: SimulateConfig) -> int:
    """Simulate, write, read again to check, and say what there is."""
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

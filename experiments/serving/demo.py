"""A first try: a system of its own, a minute of simulated visitors, and what became of it."""

from dataclasses import replace
from pathlib import Path

from adjuster.live.http.http_guard import Access
from experiments.config.serve import EXACT, ServeConfig
from experiments.data.format.click_log import ClickLog
from experiments.serving.traffic import Client, Visitors, outcome_text, send_traffic

INTERVAL_SECONDS, SETTLE_SECONDS = 5, 2


def demo_config(config: ServeConfig) -> ServeConfig:
    """The configuration of a first try: an empty store of its own, and everything soon.

    Args:
        config: What was asked for.
    """
    path = Path(config.output_dir).expanduser() / "live" / "demo.db"
    for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        name.unlink(missing_ok=True)
    return replace(
        config,
        role="all",
        adjuster=replace(config.adjuster, interval_seconds=INTERVAL_SECONDS),
        monitor=replace(config.monitor, settle_seconds=SETTLE_SECONDS),
        search=replace(config.search, interleaved_share=1.0),
        serve=replace(
            config.serve, store=str(path), store_env=None, index=EXACT, port=0, champion=None
        ),
    )


def visit(address: str, access: Access, log: ClickLog, seconds: float) -> str:
    """Turn interleaving on, send visitors for so long, and tell what happened.

    Args:
        address: The system.
        access: With the token that it wants.
        log: Whose queries are asked.
        seconds: How long.
    """
    client = Client(address, access.token)
    try:
        for mode in ("shadow", "interleave"):
            client.post("/live/mode", {"mode": mode, "reason": "A first try."})
        sent = send_traffic(client, Visitors(log), seconds)
        return outcome_text(sent, client.get("/live/status"))
    finally:
        client.close()

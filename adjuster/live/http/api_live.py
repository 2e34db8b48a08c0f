"""The operator's paths: how the system stands, its mode, a return to the copies before."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from fastapi import APIRouter, Response

from adjuster.live.http.api_models import NewMode
from adjuster.live.http.metrics_page import (
    CONTENT_TYPE,
    Metric,
    Sample,
    page,
    request_metrics,
    store_metrics,
)
from adjuster.live.http.request_counts import RequestCounts
from adjuster.live.learning.generations import GENERATIONS, read_row, roll_back
from adjuster.live.monitoring.modes import MODE, Mode, ModeRow, read_mode
from adjuster.live.monitoring.monitor_config import MonitorConfig
from adjuster.live.monitoring.status import status
from adjuster.live.storage.leases import new_lease
from adjuster.live.storage.store import Conflict, LeaseLost, Outcome, Store
from adjuster.live.storage.store_pool import StorePool


@dataclass(frozen=True)
class LivePaths:
    """What each path does.

    Args:
        stores: Where the state is.
        counts: Requests of this process.
        clock: Epoch seconds.
        config: What decides about the mode.
        before: Called with the store before it is told how things stand.
    """

    stores: StorePool[Store]
    counts: RequestCounts
    clock: Callable[[], float]
    config: MonitorConfig = field(default_factory=MonitorConfig)
    before: Callable[[Store], None] = lambda _: None

    def router(self) -> APIRouter:
        """The paths."""
        router = APIRouter()
        router.add_api_route("/live/status", self.status, methods=["GET"])
        router.add_api_route("/live/mode", self.mode, methods=["GET"])
        router.add_api_route("/live/mode", self.change_mode, methods=["POST"])
        router.add_api_route("/live/rollback", self.roll_back, methods=["POST"])
        router.add_api_route("/metrics", self.metrics, methods=["GET"])
        router.add_api_route("/healthz", self.health, methods=["GET"])
        return router

    def status(self) -> dict[str, Any]:
        """How the system stands."""
        with self.stores.store() as store:
            self.before(store)
            found = status(store, int(self.clock()), self.config)
            return found | {"generations": generations_body(store)}

    def mode(self) -> dict[str, Any]:
        """What searches show, and how that came to be."""
        with self.stores.store() as store:
            return mode_body(read_mode(store.state(MODE)))

    def change_mode(self, body: NewMode) -> dict[str, Any]:
        """Change what searches show."""
        try:
            wanted = Mode(body.mode)
        except ValueError:
            modes = ", ".join(mode.value for mode in Mode)
            raise ValueError(f"mode must be one of {modes}, got {body.mode!r:.40}.") from None
        with self.stores.store() as store:
            text = store.state(MODE)
            row = read_mode(text)
            if row.mode is wanted:
                return mode_body(row)
            why = body.reason or "An operator asked for it."
            changed = row.changed(wanted, int(self.clock()), why)
            write = Outcome(0, 0, state={MODE: changed.to_text()}, expected={MODE: text})
            try:
                store.finish(new_lease(0, 1), write)
            except LeaseLost:
                raise Conflict("The mode has just been changed. Look again.") from None
        return mode_body(changed)

    def roll_back(self) -> dict[str, Any]:
        """Show the generation of copies before again."""
        with self.stores.store() as store:
            try:
                row = roll_back(store, int(self.clock()))
            except ValueError as error:
                raise Conflict(str(error)) from None
        return {"generation": row.active, "refused": row.refused}

    def metrics(self) -> Response:
        """The numbers, for Prometheus."""
        with self.stores.store() as store:
            counts, ticks = store.counts(), store.ticks(1)
            row, mode = read_row(store.state(GENERATIONS)), read_mode(store.state(MODE))
        modes = [Sample(float(mode.mode is name), {"mode": name.value}) for name in Mode]
        metrics = [
            *store_metrics(counts, ticks),
            Metric("live_mode", "gauge", "1 for the mode that holds.", modes),
            Metric("live_generation", "gauge", "The copies that are shown.", [Sample(row.active)]),
            *request_metrics(self.counts),
        ]
        return Response(page(metrics), media_type=CONTENT_TYPE)

    def health(self) -> dict[str, str]:
        """Whether the store answers."""
        with self.stores.store() as store:
            store.state(MODE)
        return {"status": "ok"}


def mode_body(row: ModeRow) -> dict[str, Any]:
    """The mode as it is answered."""
    history = [step._asdict() for step in row.history]
    return {"mode": row.mode.value, "since": row.since, "why": row.why, "history": history}


def generations_body(store: Store) -> dict[str, Any]:
    """Which generations of copies there are, and what they learn with."""
    row = read_row(store.state(GENERATIONS))
    return {
        "shown": row.active,
        "previous": row.previous,
        "champion": row.champion and asdict(row.champion),
        "building": row.building and asdict(row.building),
    }

"""Part ``search``: where a search of all settings ends that is told no good one, by log and seed.

Nothing is enqueued. On MovieLens each study's sealed test is opened, once, for what its finalist
is worth on sessions that no study saw; none of them is used to choose anything. On simulated
shops, of which as many can be made as one likes, the best on tune is held against the best of many
random settings of the same space on the same sessions.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from experiments.benchmarks.known_truth import run_quietly
from experiments.benchmarks.one_a_core import one_a_core
from experiments.benchmarks.parts import Measured
from experiments.common.errors import InputError
from experiments.common.wording import grid
from experiments.config.data import DatasetConfig, SimulatedConfig
from experiments.data.made.simulated import prepare_simulated
from experiments.data.open_dataset import open_dataset
from experiments.study_folder.summary import read_summary

N_TRIALS = 200
MOVIELENS = "movielens"
SHOPS: dict[str, SimulatedConfig] = {
    "shop, everyone's likings": SimulatedConfig(
        n_sessions=6_000, n_objects=600, n_queries=300, crowd_weight=0.87, taste_weight=0.35
    ),
    "shop, likings of a query": SimulatedConfig(
        n_sessions=6_000,
        n_objects=600,
        n_queries=120,
        crowd_weight=0.0,
        taste_weight=0.0,
        query_weight=0.94,
        examination_decay=1.0,
    ),
    "shop, each user's likings": SimulatedConfig(
        n_sessions=6_000, n_users=120, n_objects=600, n_queries=300, taste_weight=0.87
    ),
}
"""Three kinds of shop: what everyone likes, what belongs to a query, what one user likes."""

SEARCH, RANDOM = ("sampler=forest",), ("sampler=random",)
"""How a study searches unless it is told, and what it is held against."""

SCOPES = {"shop, each user's likings": "user_id"}
HEAD = ("log", "studies", "median", "worst", "random settings", "worst behind random")


@dataclass(frozen=True)
class Job:
    """One study to run.

    Args:
        log: Name of the log.
        place: Overrides that say where it lies.
        seed: Of the study.
        search: Overrides that say how it searches; `RANDOM` for the settings to be held against.
        n_trials: Its trials.
    """

    log: str
    place: tuple[str, ...]
    seed: int
    search: tuple[str, ...]
    n_trials: int


@dataclass(frozen=True)
class Found:
    """Where a study ended.

    Args:
        job: What was run.
        value: The finalist's objective on the sealed test (MovieLens), or of the best on tune
            (shops); nan where no trial kept the guardrails.
    """

    job: Job
    value: float


def measure(
    n_seeds: int = 10,
    n_random: int = 2000,
    words: Sequence[str] = (),
    search: Sequence[str] = (),
) -> Measured:
    """Search all settings of each log.

    Args:
        n_seeds: Studies of each log, of other seeds, >= 1.
        n_random: Random settings of each shop, >= 0.
        words: Only logs whose name holds one of these; empty for all.
        search: Settings of ``experiments.sweep`` that say how to search; `SEARCH` as well where
            they name no sampler.

    Returns:
        ``search.<log>.<figure>`` for each log: ``studies``, ``median``, ``worst``, and of shops
        ``random_best`` and ``worst_behind_random``.

    Raises:
        InputError: If there is nothing to measure, or `search` is what it is held against.
    """
    if not any(setting.startswith("sampler=") for setting in search):
        search = (*SEARCH, *search)
    if set(RANDOM) <= set(search):
        raise InputError("--with must be another sampler than random, which it is held against.")
    for name, count, least in (("--seeds", n_seeds, 1), ("--random", n_random, 0)):
        if count < least:
            raise InputError(f"{name} must be >= {least}, got {count}.")
    names = [MOVIELENS, *SHOPS]
    chosen = [name for name in names if not words or any(word in name for word in words)]
    if not chosen:
        raise InputError(f"--kind must be part of one of {names}; got {', '.join(words)}.")
    with TemporaryDirectory() as folder:
        jobs = [
            job
            for name in chosen
            for job in _jobs(name, Path(folder), tuple(search), n_seeds, n_random)
        ]
        found = []
        for one in one_a_core(run, [(job,) for job in jobs]):
            found.append(one)
            line = f"{len(found)} of {len(jobs)}: {one.job.log}, {' '.join(one.job.search)}, "
            print(f"{line}seed {one.job.seed}: {one.value:.4f}", file=sys.stderr, flush=True)
    return measured(found)


def _jobs(
    name: str, folder: Path, search: tuple[str, ...], n_seeds: int, n_random: int
) -> list[Job]:
    if name == MOVIELENS:
        open_dataset(DatasetConfig(MOVIELENS))
        place: tuple[str, ...] = ("dataset=movielens",)
        random = []
    else:
        log = folder / name.replace(" ", "_").replace(",", "").replace("'", "")
        prepare_simulated(log, SHOPS[name])
        scope = f"replay.personalize_by={SCOPES.get(name, 'none')}"
        place = ("dataset=folder", f"dataset.path={log}", scope)
        random = [Job(name, place, 0, RANDOM, n_random)] if n_random else []
    # The longest first, so that no core is left alone with it.
    return random + [Job(name, place, seed, search, N_TRIALS) for seed in range(n_seeds)]


def run(job: Job) -> Found:
    """Run one study, and on MovieLens open its sealed test."""
    with TemporaryDirectory() as folder:
        run_quietly(
            "sweep",
            [
                *job.place,
                *job.search,
                "search_space=full",
                "study.enqueue=none",
                "study.name=search",
                f"study.seed={job.seed}",
                f"study.n_trials={job.n_trials}",
                "tracking=none",
                f"output_dir={folder}",
            ],
        )
        path = Path(folder) / "search" / "summary.json"
        summary = read_summary(path)
        if summary.tune_best is None:
            return Found(job, math.nan)
        if job.log != MOVIELENS:
            return Found(job, summary.tune_best.metrics[summary.objective])
        run_quietly("export", ["study=search", f"output_dir={folder}", "force=true"])
        sealed = read_summary(path).sealed
        assert sealed is not None, "export opens the sealed test"
        return Found(job, sealed.test.evidence.gain.mean)


def measured(found: Sequence[Found]) -> Measured:
    """Figures and table, logs in their order; a study without a finalist is the worst there is.

    Args:
        found: At least one study of each log that is not `RANDOM`.
    """
    figures: dict[str, float] = {}
    rows: list[tuple[str, ...]] = [HEAD]
    for log in dict.fromkeys(one.job.log for one in found):
        mine = [one for one in found if one.job.log == log]
        values = [one.value for one in mine if one.job.search != RANDOM]
        values = [-math.inf if math.isnan(value) else value for value in values]
        middle, worst = median(values), min(values)
        random = [one.value for one in mine if one.job.search == RANDOM]
        figures |= {f"search.{log}.studies": len(values)}
        figures |= {f"search.{log}.median": middle, f"search.{log}.worst": worst}
        behind = ("", "")
        if random:
            figures |= {
                f"search.{log}.random_best": random[0],
                f"search.{log}.worst_behind_random": random[0] - worst,
            }
            behind = (f"{random[0]:.4f}", f"{random[0] - worst:+.4f}")
        rows.append((log, str(len(values)), f"{middle:.4f}", f"{worst:.4f}", *behind))
    return Measured(figures, "\n".join(grid(rows)))

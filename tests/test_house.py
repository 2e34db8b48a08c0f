"""The floor plan: who may import whom, which library is known where, how large a part may be.

The plan stands here as data; `tests/house` reads the sources and holds them to it. A rule that
is broken fails with a line a case: file, line, and the arrow or the size that is wrong.
"""

import tomllib
from pathlib import Path

import pytest

from tests.house import rules
from tests.house.sources import read_sources

ROOT = Path(__file__).parents[1]
OURS = read_sources(ROOT, "adjuster", "experiments")
TESTS = read_sources(ROOT, "tests")

# From top to bottom: a room imports those below it. "" is the files beside the rooms, which in
# `experiments` are the commands, in `experiments.data` the doors, in `adjuster` what both engines
# are told and given.
ROOMS = {
    "": ["tests", "experiments", "adjuster"],
    "experiments": [
        "",
        "commands",
        "benchmarks",
        "serving",
        "workflow",
        "deployment",
        "review",
        "tracking",
        "study_folder",
        "judging",
        "study",
        "replay",
        "data",
        "config",
        "common",
    ],
    "experiments.replay": ["partitioned", "", "position"],
    "experiments.data": [
        "",
        "importers",
        "intake",
        "card",
        "made",
        "texts",
        "readers",
        "partitions",
        "format",
    ],
    "adjuster.live": ["", "http", "learning", "retrieval", "monitoring", "storage", "ranking"],
    "adjuster": ["live", "adjusters", "fused_engine", "torch_engine", "", "metrics"],
}

# The package's own door names what the rooms above its root hold.
# `experiments` takes Ctrl-C before its commands are imported.
DOORS_WITH_NAMES = {"adjuster", "adjuster.metrics", "experiments"}

LIBRARIES = {
    "hydra": {"experiments.config"},
    "omegaconf": {"experiments.config"},
    "optuna": {"experiments.study"},
    "sqlalchemy": {
        "experiments.study.storage",
        "experiments.study.reconnection",
        "experiments.study.shared_ledger",
    },
    "mlflow": {
        "experiments.tracking",
        "experiments.deployment.champion",
        "experiments.deployment.registry",
        "experiments.deployment.served_model",
    },
    "plotly": {
        "experiments.common.plots",
        "experiments.review.figures",
        "experiments.data.card.plots",
    },
    "jinja2": {"experiments.common.pages"},
    "matplotlib": {"experiments.review.static_image"},
    # A benchmark measures the published adjuster and torch autograd beside the kernel.
    "torch": {"adjuster.torch_engine", "adjuster.adjusters", "experiments.benchmarks"},
    "numba": {"adjuster.fused_engine"},
    "rich": {"experiments.common.console", "experiments.common.steps"},
    "pandas": {"experiments"},
    "psycopg": {"adjuster.live.storage.postgres_connection"},
    "fastapi": {"adjuster.live"},
    "pydantic": {"adjuster.live.http.api_models"},
    "uvicorn": {"experiments.serving"},
    "ray": {"experiments.replay.partitioned.ray_cluster"},
}

# What the replay may use of the engines.
ENGINE_NAMES = {
    "REFIT",
    "Answers",
    "Streams",
    "make_corpus",
    "Corpus",
    "Knobs",
    "Showings",
    "Lessons",
    "Span",
    "StreamState",
    "start_state",
    "run_streams",
    "score_originals",
    "make_knobs",
    "rocchio_knobs",
    "query_rows",
    "Queries",
    "Sessions",
    "adjust_sessions",
}

# Only the commands and the benchmarks, those on top, may walk through all rooms of `data`.
GUESTS_OF_DATA = [room for room in ROOMS["experiments"][3:] if room != "data"]

# Modules without a test module of their name: what they do is held by these, under `tests`. A new
# module does not join them.
POSITION = "experiments/replay/position"
TESTED_ELSEWHERE = {
    f"{POSITION}/click_counts.py": f"{POSITION}/test_click_model.py",
    f"{POSITION}/click_information.py": f"{POSITION}/test_click_model.py",
    "adjuster/adjusters/base.py": "adjuster/adjusters/test_contract.py",
    "adjuster/fused_engine/descent.py": "adjuster/fused_engine/test_engines_agree.py",
    "adjuster/fused_engine/problem.py": "adjuster/fused_engine/test_batch.py",
    "adjuster/fused_engine/published_kernel.py": "adjuster/adjusters/test_published.py",
    "adjuster/fused_engine/stream_loop.py": "experiments/replay/test_replay.py",
    "adjuster/fused_engine/streams.py": "experiments/replay/test_replay.py",
    "adjuster/live/learning/batch_material.py": "adjuster/live/learning/test_worker.py",
    "adjuster/live/learning/flat_learner.py": "experiments/replay/test_live_parity.py",
    "adjuster/live/learning/learner.py": "adjuster/live/learning/test_worker.py",
    "adjuster/live/storage/records.py": "adjuster/live/storage/test_store.py",
    "adjuster/live/storage/sql_connection.py": "adjuster/live/storage/test_store.py",
    "adjuster/live/storage/sql_intake.py": "adjuster/live/storage/test_store.py",
    "adjuster/live/storage/sql_store.py": "adjuster/live/storage/test_store.py",
    "experiments/commands/compare.py": "experiments/workflow/test_judgement.py",
    "experiments/commands/export.py": "experiments/test_export.py",
    "experiments/commands/serve.py": "experiments/test_serve.py",
    "experiments/commands/sweep.py": "experiments/test_sweep.py",
    "experiments/data/intake/intake.py": "experiments/data/test_ingestion.py",
    "experiments/data/intake/rejections.py": "experiments/data/test_ingestion.py",
    "experiments/data/intake/session_checks.py": "experiments/data/test_ingestion.py",
    "experiments/data/intake/staging.py": "experiments/data/test_ingestion.py",
    "experiments/data/intake/vector_intake.py": "experiments/data/test_ingestion.py",
    "experiments/data/made/browsing.py": "experiments/data/made/test_simulated.py",
    "experiments/data/made/movielens_source.py": "experiments/data/made/test_movielens.py",
    "experiments/data/made/orders.py": "experiments/data/made/test_options.py",
    "experiments/data/made/shop.py": "experiments/data/made/test_simulated.py",
    "experiments/data/made/stretches.py": "experiments/data/made/test_simulated_parts.py",
    "experiments/data/readers/csv_file.py": "experiments/data/readers/test_any_file.py",
    "experiments/data/readers/row_blocks.py": "experiments/data/readers/test_any_file.py",
    "experiments/data/texts/parts.py": "experiments/data/texts/test_splitting.py",
    "experiments/replay/popularity.py": "experiments/replay/test_baselines.py",
    "experiments/replay/results.py": "experiments/replay/test_scoreboard.py",
    "experiments/study/records.py": "experiments/study/test_study.py",
    "experiments/study/search_space_faults.py": "experiments/study/test_search_space.py",
    "experiments/workflow/trials.py": "experiments/study/test_study.py",
}

# Signatures that are not ours to choose: a host builds the adjuster with these arguments.
GIVEN_SIGNATURES = {"adjuster.adjusters.torch_adjuster.__init__"}


def test_no_room_imports_a_room_above_it() -> None:
    broken = [
        case
        for package, rooms in ROOMS.items()
        for case in rules.upward_arrows(OURS, package, rooms, exempt={"adjuster"})
    ]
    assert_none(broken)


def test_every_room_of_the_plan_is_a_folder() -> None:
    folders = {module.path.rpartition("/")[0] for module in OURS.modules.values()}
    planned = {
        f"{package.replace('.', '/')}/{room}"
        for package, rooms in ROOMS.items()
        for room in rooms
        if package and room
    }
    assert_none([f"{folder} is planned and is no folder" for folder in sorted(planned - folders)])


def test_no_files_import_each_other_in_a_circle() -> None:
    assert_none(rules.circles(OURS.arrows))


def test_no_rooms_import_each_other_in_a_circle() -> None:
    assert_none([c for package in ROOMS for c in rules.circles(rules.room_arrows(OURS, package))])


def test_heavy_libraries_are_known_in_their_rooms_only() -> None:
    assert_none(rules.strayed_libraries(OURS, LIBRARIES))


def test_the_metrics_import_nothing_of_ours() -> None:
    assert_none(rules.foreign_imports(OURS, "adjuster.metrics", "adjuster", []))


def test_the_two_engines_do_not_know_each_other() -> None:
    assert_none(rules.foreign_imports(OURS, "adjuster.fused_engine", "adjuster.torch_engine", []))


def test_review_replays_nothing_and_tracks_nothing() -> None:
    allowed = ["study_folder", "judging", "config", "common"]
    # Records, and the names of guardrails, baselines and enqueued settings.
    allowed += ["study.records", "study.enqueued", "replay.guardrails", "replay.baseline_names"]
    rooms = [f"experiments.{room}" for room in allowed]
    assert_none(rules.foreign_imports(OURS, "experiments.review", "experiments", rooms))


def test_the_data_are_entered_through_their_front_door() -> None:
    doors = [*_files_beside_rooms("experiments.data"), "experiments.data.format.click_log"]
    doors += ["experiments.data.format.folder"]
    assert_none(
        [
            case
            for room in GUESTS_OF_DATA
            for case in rules.foreign_imports(
                OURS, f"experiments.{room}", "experiments.data", doors
            )
        ]
    )


def test_the_replay_uses_a_few_names_of_the_engines_and_no_more() -> None:
    used = rules.names_used(OURS, "experiments.replay", "adjuster.fused_engine")
    used |= rules.names_used(OURS, "experiments.replay", "adjuster.torch_engine")
    assert_none([f"{used[name]}: {name} of an engine" for name in set(used) - ENGINE_NAMES])


def test_a_rooms_door_holds_its_charter_and_nothing_else() -> None:
    assert_none(rules.furnished_doors(OURS, DOORS_WITH_NAMES))


def test_every_package_is_installed() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed = set(tomllib.load(file)["tool"]["setuptools"]["packages"])
    folders = {name for name, module in OURS.modules.items() if module.is_package}
    folders.add("experiments.conf")  # Hydra's YAML files; lies in conf/
    assert_none(
        [f"pyproject.toml does not list {name}" for name in sorted(folders - listed)]
        + [f"pyproject.toml lists {name}, which is no package" for name in sorted(listed - folders)]
    )


def test_no_file_is_longer_than_400_lines() -> None:
    assert_none(rules.long_files(OURS) + rules.long_files(TESTS))


def test_no_function_is_longer_than_40_lines_without_a_reason() -> None:
    assert_none(rules.long_functions(OURS))


def test_no_function_outside_compiled_code_has_more_than_7_parameters() -> None:
    assert_none(rules.many_parameters(OURS, GIVEN_SIGNATURES))


def test_every_module_of_over_100_lines_has_a_test_module_of_its_name() -> None:
    missing = rules.untested_modules(OURS, ROOT / "tests")
    assert_none([case for case in missing if case.partition(":")[0] not in TESTED_ELSEWHERE])


def test_what_is_tested_elsewhere_is_tested_there() -> None:
    assert_none(
        [
            f"{module} is said to be tested in {test}, which is not there"
            for module, test in TESTED_ELSEWHERE.items()
            if not (ROOT / module).is_file() or not (ROOT / "tests" / test).is_file()
        ]
    )


def assert_none(broken: list[str]) -> None:
    if broken:
        pytest.fail("\n".join(["", *broken]), pytrace=False)


def _files_beside_rooms(package: str) -> list[str]:
    return [name for name in OURS.modules if rules.room_of(OURS, name, package) == ""]

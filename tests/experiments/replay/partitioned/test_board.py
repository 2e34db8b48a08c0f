"""What is kept of a shard scores it as the scoreboard of its layout does, to the last bit."""

import numpy as np
import pytest

from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.folder import load_click_log
from experiments.replay.layout import lay_out
from experiments.replay.partitioned.arrays_file import read_arrays, write_arrays
from experiments.replay.partitioned.board import ShardBoard, board_of
from experiments.replay.scoreboard import Scoreboard
from tests.experiments.log_folder import showing, write_folder
from tests.experiments.random_log import make_log

CONFIG = ReplayConfig(quiet_seconds=60, n_blocks=1)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("data")
    made = showing(make_log(4, n_sessions=90, n_users=9, span_seconds=3_000_000))
    return load_click_log(write_folder(path / "log", made))


@pytest.mark.parametrize("estimator", ["naive", "judged"])
@pytest.mark.parametrize("repeat_clicks", ["count", "ignore"])
def test_a_board_from_disk_scores_as_the_scoreboard(tmp_path, log, estimator, repeat_clicks):
    objective = ObjectiveConfig(estimator=estimator, repeat_clicks=repeat_clicks)
    layout = lay_out(log, CONFIG, objective)
    expected = Scoreboard(layout, None)
    rng = np.random.default_rng(0)
    adjusted = rng.random(len(layout.before)) < 0.4
    scores = rng.standard_normal(len(adjusted)).astype(layout.before.dtype)
    np.copyto(expected.after, scores, where=adjusted)
    expected.adjusted[:] = adjusted
    expected.add_block(0)

    write_arrays(tmp_path / "board.arrow", board_of(layout))
    board = read_arrays(tmp_path / "board.arrow", ShardBoard)
    found = board.columns(layout.objective, scores, adjusted)
    np.testing.assert_equal(vars(found), vars(expected.columns()))
    assert found.reached.any()
    assert (found.refound != 0).any() == (repeat_clicks == "count")


def test_a_score_that_is_no_number_is_told(log):
    layout = lay_out(log, CONFIG, ObjectiveConfig(estimator="naive"))
    scores = np.full_like(layout.before, np.nan)
    with pytest.raises(FloatingPointError, match="diverges"):
        board_of(layout).columns(layout.objective, scores, np.ones(len(scores), np.bool_))

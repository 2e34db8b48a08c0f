"""What earlier sessions tell of a result's attraction."""

import numpy as np
import pytest

from experiments.replay.position.attraction import earlier_attraction
from experiments.replay.position.click_counts import count_clicks
from experiments.replay.position.click_model import fit_click_model
from tests.experiments.replay.position.made_logs import made_log


def fitted(made):
    counts = count_clicks(made.log, made.score)
    return counts, fit_click_model(counts)


def test_it_equals_a_loop_over_earlier_impressions(monkeypatch):
    made = made_log("noisy", 1.0, n_sessions=80, n_queries=3)
    counts, model = fitted(made)
    monkeypatch.setattr("experiments.replay.position.attraction.ROWS_AT_ONCE", 100)
    found = earlier_attraction(made.log, counts, model)
    seen = {}
    for row, pair in enumerate(made.log.pair):
        law = seen.get(pair, model.law[counts.stratum[counts.row[row]]])
        assert found[row] == pytest.approx(law @ model.levels / law.sum())
        chance = model.chances[made.log.depth[row]]
        seen[pair] = law * (chance if made.log.clicked[row] else 1 - chance)


def test_the_sessions_own_click_has_no_say():
    made = made_log("noisy", 1.0, n_sessions=200)
    counts, model = fitted(made)
    changed = made.log.clicked.copy()
    changed[-20:] = ~changed[-20:]
    other = type(made.log)(
        **{
            name: changed if name == "clicked" else getattr(made.log, name)
            for name in ("query", "user", "offsets", "object", "position", "clicked")
        }
    )
    np.testing.assert_allclose(
        earlier_attraction(made.log, counts, model), earlier_attraction(other, counts, model)
    )


def test_it_is_calibrated():
    """Among impressions with a like estimate, true attraction is that on average."""
    made = made_log("fifth", 0.5, n_sessions=4000)
    counts, model = fitted(made)
    found = earlier_attraction(made.log, counts, model) * np.exp(model.log_theta.max())
    late = np.arange(len(found)) > len(found) // 2
    for part in np.array_split(np.flatnonzero(late)[np.argsort(found[late])], 4):
        assert found[part].mean() == pytest.approx(made.attraction[part].mean(), rel=0.25)

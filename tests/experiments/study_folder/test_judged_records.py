"""Finalists and the sealed test as they are kept."""

import json
import math
from functools import partial

import pytest

from experiments.config.replay import ReplayConfig
from experiments.config.study import GuardrailsConfig
from experiments.judging.bystanders import Replays
from experiments.judging.comparison import Judge
from experiments.judging.finalists import Candidate, judge_finalists
from experiments.judging.seal import Seal
from experiments.judging.sealed_test import Terms, open_sealed_test
from experiments.study_folder.judged_records import FinalistRecord, SealedRecord
from tests.experiments import planted_records
from tests.experiments.planted_replay import PlantedReplay, make_settings

CANDIDATE = Candidate(7, make_settings(anchor_weight=0.05, adjustment_rate=0.1))
REPLAYS = Replays(partial(PlantedReplay, test_factor=0.6), ReplayConfig())
JUDGE = Judge("ndcg_at_10", seed=0)


def test_a_finalist_keeps_all_but_its_rows_and_comes_back():
    (finalist,) = judge_finalists([CANDIDATE], make_settings(), REPLAYS, JUDGE)
    kept = FinalistRecord.of(finalist)
    assert kept.metrics == finalist.result.metrics
    assert FinalistRecord.from_dict(json.loads(json.dumps(kept.to_dict()))) == kept
    assert list(kept.to_dict()) == [
        *("trial", "settings", "metrics", "gain", "gain_over_defaults", "bystanders")
    ]
    assert set(kept.to_dict()["settings"]) == {"adjuster", "selection"}


def test_an_opened_test_keeps_verdict_and_numbers_and_comes_back():
    terms = Terms(make_settings(), [], GuardrailsConfig(), JUDGE)
    seal = Seal([], "f" * 64, "shop", "last 30 %", "ndcg_at_10 (naive)", repr)
    opened = open_sealed_test([CANDIDATE], REPLAYS, terms, seal)
    kept = SealedRecord.of(opened)
    assert kept.test.optimism == opened.optimism
    plain = kept.to_dict()
    assert SealedRecord.from_dict(json.loads(json.dumps(plain))).to_dict() == plain
    plain = kept.to_dict()
    assert list(plain) == ["verdict", "test"]
    assert list(plain["verdict"]) == ["decision", "sentence", "reasons", "notes"]
    assert list(plain["test"]) == [
        *("trial", "look", "openings", "optimism", "tune", "evidence"),
    ]


def test_an_effect_size_that_is_not_defined_is_null_and_back():
    plain = planted_records.sealed().to_dict()
    assert plain["test"]["evidence"]["rivals"][1]["lead"]["effect_size"] is None
    read = SealedRecord.from_dict(plain)
    assert math.isnan(read.test.test_over_defaults.effect_size)


def test_settings_that_are_not_valid_are_named():
    plain = planted_records.finalist().to_dict()
    plain["settings"]["adjuster"]["num_iterations"] = -1
    with pytest.raises(ValueError, match=r"\[0\]\.settings cannot be read: .*num_iterations"):
        FinalistRecord.from_dict(plain, "[0]")


def test_every_part_of_the_evidence_comes_back():
    kept = planted_records.sealed()
    read = SealedRecord.from_dict(json.loads(json.dumps(kept.to_dict())))
    mine, its = kept.test.evidence, read.test.evidence
    for name in ("gain", "naive", "weighting", "crowding", "split", "trend", "bystanders"):
        assert getattr(its, name) == getattr(mine, name), name
    assert [rival.name for rival in its.rivals] == ["popularity", "the published defaults"]
    assert math.isnan(its.power.n_needed), "endless and unknown are both null in JSON"
    assert read.test.openings == kept.test.openings


def test_a_word_that_is_none_of_those_known_is_named():
    plain = planted_records.sealed().to_dict()
    plain["test"]["evidence"]["split"]["new"]["widest"] = "everyone"
    with pytest.raises(ValueError, match=r"new\.widest must be one of users, units, both"):
        SealedRecord.from_dict(plain)

"""The benchmark: its command, its measuring, and its figures on a tiny shape."""

import json
import time

import numpy as np
import pytest

from experiments import benchmark
from experiments.benchmarks import clock, parts, shapes
from experiments.benchmarks.parts import Measured


@pytest.fixture
def a_part(monkeypatch):
    """A part that measures nothing, in place of the real ones."""
    monkeypatch.setattr(benchmark, "PARTS", {"fake": "nowhere"})
    monkeypatch.setattr(
        benchmark, "measure_part", lambda name, **_: Measured({f"{name}.seconds": 2.5}, "a table")
    )


def test_prints_the_table_and_keeps_figures_of_other_parts(a_part, tmp_path, capsys):
    output = tmp_path / "new" / "benchmark.json"
    output.parent.mkdir()
    output.write_text('{"replay.movielens.seconds": 0.4, "fake.seconds": 9}')
    assert benchmark.main(["fake", "--output", str(output)]) == 0
    assert "a table" in capsys.readouterr().out
    figures = json.loads(output.read_text())
    assert figures["fake.seconds"] == 2.5
    assert figures["replay.movielens.seconds"] == 0.4
    assert figures["machine.cores"] >= 1


def test_without_a_part_all_are_measured(a_part, tmp_path):
    output = tmp_path / "benchmark.json"
    assert benchmark.main(["--output", str(output)]) == 0
    assert json.loads(output.read_text())["fake.seconds"] == 2.5


def test_the_calibrations_logs_and_kinds_reach_no_other_part(monkeypatch, tmp_path):
    asked = {}

    def measure_part(name, **options):
        asked[name] = options
        return Measured({}, "a table")

    monkeypatch.setattr(benchmark, "measure_part", measure_part)
    arguments = ["--logs", "3", "--kind", "flip", "--kind", "bot", "study", "calibration"]
    assert benchmark.main([*arguments, "--output", str(tmp_path / "benchmark.json")]) == 0
    assert asked == {"study": {}, "calibration": {"n_logs": 3, "words": ["flip", "bot"]}}


def test_the_server_reaches_the_live_part_alone(monkeypatch, tmp_path):
    asked = {}

    def measure_part(name, **options):
        asked[name] = options
        return Measured({}, "a table")

    monkeypatch.setattr(benchmark, "measure_part", measure_part)
    arguments = ["--postgres", "postgresql:///x", "live", "study"]
    assert benchmark.main([*arguments, "--output", str(tmp_path / "benchmark.json")]) == 0
    assert asked == {"live": {"postgres": "postgresql:///x"}, "study": {}}


def test_an_unknown_part_is_named_before_any_work(tmp_path, capsys):
    output = tmp_path / "benchmark.json"
    assert benchmark.main(["adjuster", "adjustor", "--output", str(output)]) == 2
    assert "PART must be one of adjuster" in capsys.readouterr().err
    assert not output.exists()


def test_a_file_that_is_no_earlier_benchmark_is_left_alone(a_part, tmp_path, capsys):
    output = tmp_path / "benchmark.json"
    output.write_text("my notes")
    assert benchmark.main(["fake", "--output", str(output)]) == 2
    assert "must hold the JSON of an earlier benchmark" in capsys.readouterr().err
    assert output.read_text() == "my notes"


def test_every_part_has_a_module_that_measures():
    for module in parts.PARTS.values():
        assert callable(parts.import_module(module).measure)


def test_items_per_second_counts_items_not_calls(monkeypatch):
    monkeypatch.setattr(clock, "WINDOW_SECONDS", 0.05)
    calls = []

    def sleep(batch):
        calls.append(batch)
        time.sleep(0.01)

    rate = clock.items_per_second(sleep, ["a", "b"], 5)
    assert 20 < rate <= 500
    assert calls[:3] == ["a", "b", "a"]


def test_the_peak_within_a_block_is_seen_though_it_is_gone_after():
    with clock.peak_above_start() as risen:
        np.ones(8 * 2**20)
    assert 60 * 2**20 < risen[0] < 160 * 2**20


def test_a_process_of_its_own_answers():
    assert clock.in_own_process(pow, 2, 5) == 32


def test_the_uniform_sessions_have_the_shape_their_name_says():
    sessions, index = shapes.load_shape("1024x20x4x384")(3)
    assert len(sessions) == 3
    assert index.dimensions == 384
    shown = [*sessions[0].clicked_elements, *sessions[0].non_clicked_elements]
    assert len(shown) == 20
    assert {tuple(element.vector.shape) for element in shown} == {(4, 384)}
    assert (
        len({element.user_id for session in sessions for element in session.clicked_elements}) == 3
    )

"""Progress: a bar on a terminal, calm lines elsewhere."""

import io
import re

from experiments.workflow.progress import Progress
from tests.experiments import planted_trials
from tests.experiments.fake_replay import make_config, run_study


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(tmp_path, stream, **options):
    records = run_study(make_config(tmp_path))
    progress = Progress("ndcg_at_10", len(records), records[:2], stream=stream, **options)
    for record in records[2:]:
        progress.add(record)
    progress.close()
    return stream.getvalue()


def test_elsewhere_the_end_is_one_line(tmp_path):
    text = shown(tmp_path, io.StringIO())
    assert text.count("\n") == 1
    assert "\r" not in text
    assert text.startswith("8/8 trials, best NDCG@10 .79")
    assert "8 done, 0 pruned, 0 failed, 0 s left" in text


def test_on_a_terminal_one_bar_is_drawn_over(tmp_path):
    text = shown(tmp_path, Terminal())
    assert "\r" in text
    assert "8/8 trials, best .79" in text
    assert "0 pruned" not in text


def test_on_a_terminal_nothing_is_wider(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    text = shown(tmp_path, Terminal(), verbose=True)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", text).replace("\r", "\n").splitlines()
    assert 0 < max(map(len, drawn)) <= 80


def test_while_nothing_keeps_the_guardrails_that_is_said():
    stream = io.StringIO()
    progress = Progress("mrr", 1, [], stream=stream)
    progress.add(planted_trials.record(0, 0.7, drift=0.9))
    told = "1/1 trials, best: none within the guardrails yet (starts first), 1 done"
    assert stream.getvalue().startswith(told)


def test_verbose_tells_every_trial(tmp_path):
    assert shown(tmp_path, io.StringIO(), verbose=True).count("trial ") == 6


def test_partitions_of_the_trial_under_way_are_counted(monkeypatch):
    monkeypatch.setattr("experiments.workflow.progress.SECONDS_BETWEEN_LINES", 0.0)
    stream = io.StringIO()
    progress = Progress("ndcg_at_10", 9, [], stream=stream)
    progress.partition(6)
    progress.partition(6)
    assert "0/9 trials, 2/6 partitions, best: none" in stream.getvalue()

"""`python -m experiments.ingest` from end to end."""

import json

import pytest

from experiments.data.format.folder import load_click_log
from experiments.ingest import main
from experiments.inspect import main as inspect_main


@pytest.fixture
def log(tmp_path):
    folder = tmp_path / "log"
    folder.mkdir()
    results = [{"object_id": name, "rank": place} for place, name in enumerate("ab")]
    session = {"session_id": "s1", "search_query": "hat", "created_at": 1_700_000_000}
    click = {"event_id": "e1", "session_id": "s1", "object_id": "b", "created_at": 1_700_000_003}
    lines = json.dumps({**session, "search_results": results, "user_id": "u"}) + "\n"
    (folder / "sessions.jsonl").write_text(lines)
    (folder / "events.jsonl").write_text(json.dumps(click) + "\n")
    (folder / "objects.csv").write_text("object_id,title\na,silk hat\nb,winter coat\n")
    return folder


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["ingest", *map(str, arguments)])
    return main()


def test_a_log_becomes_a_data_set_with_a_card(log, monkeypatch, capsys):
    output = log.parent / "out"
    assert run(monkeypatch, "source=embedding_studio", f"path={log}", f"output={output}") == 0
    said = capsys.readouterr().out
    assert "Data card of out" in said
    assert "impressions  2 read = 2 written" in said
    assert f"dataset.path={output}" in said
    assert load_click_log(output).index.dimensions == 256


def test_a_name_of_ones_own_and_other_metric(log, monkeypatch):
    output = log.parent / "out"
    arguments = ["source=embedding_studio", f"path={log}", f"output={output}"]
    assert run(monkeypatch, *arguments, "name=shop", "metric_type=dot") == 0
    found = load_click_log(output)
    assert (found.name, found.index.metric_type.value) == ("shop", "dot")


def test_quarantined_rows_are_told(log, monkeypatch, capsys):
    with (log / "events.jsonl").open("a") as file:
        file.write("not json\n")
    output = log.parent / "out"
    arguments = ["source=embedding_studio", f"path={log}", f"output={output}"]
    assert run(monkeypatch, *arguments) == 2
    assert "events.jsonl: a line must be one whole JSON object" in capsys.readouterr().err
    assert not output.exists()
    assert run(monkeypatch, *arguments, "on_error=quarantine") == 0
    said = capsys.readouterr().out
    assert "events       2 read = 1 written + 1 quarantined" in said
    assert "quarantine.parquet" in said


def test_the_card_of_an_imported_set_tells_its_rows_later_too(log, monkeypatch, capsys):
    with (log / "events.jsonl").open("a") as file:
        file.write("not json\n")
    output = log.parent / "out"
    arguments = ["source=embedding_studio", f"path={log}", f"output={output}"]
    run(monkeypatch, *arguments, "on_error=quarantine")
    capsys.readouterr()
    monkeypatch.setattr("sys.argv", ["x", f"dataset.path={output}", f"output_dir={log}/o"])
    assert inspect_main() == 0
    assert "events       2 read = 1 written + 1 quarantined" in capsys.readouterr().out
    written = json.loads((log / "o/cards/out/card.json").read_text())
    assert written["rows"]["events"] == {"read": 2, "written": 1, "quarantined": 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["source=excel"], "source must be one of embedding_studio, live, table, ubi"),
        (["on_error=ignore"], "on_error must be one of fail, quarantine, got ignore"),
        (["source=table"], "mapping must be a YAML file with source=table"),
        (["parts.max_tokens=0"], "parts.max_tokens must be >= 1, got 0"),
        (["encoder=sentence_transformers"], "encoder.model must be the name of a model"),
        (["encoder=bert"], "encoder"),
        (["suorce=ubi"], "suorce"),
    ],
)
def test_a_bad_setting_is_one_sentence(log, monkeypatch, capsys, arguments, message):
    needed = ["source=ubi", f"path={log}", f"output={log.parent / 'out'}"]
    assert run(monkeypatch, *needed, *arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said


def test_missing_settings_are_named(monkeypatch, capsys):
    assert run(monkeypatch) == 2
    assert "source must be given" in capsys.readouterr().err

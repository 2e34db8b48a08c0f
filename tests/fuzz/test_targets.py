"""The fuzzer's targets on their samples and on mutations of them that Hypothesis draws."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.data import ingestion
from tests.fuzz import targets
from tests.fuzz.state_targets import TARGETS
from tests.fuzz.targets import FILES, N_TARGETS, READERS, SAMPLES, one_input, write_corpus

NASTY = [
    b"",
    b"\x00",
    b"\xff",
    b"\\ud800",
    b"null",
    b"1e400",
    b"-1",
    b"[]",
    b"{}",
    b'"',
    b"\n",
    b",",
    b"\t",
    b"true",
    b"9" * 30,
    b"NaN",
    b"[" * 1500,
    b"2024-13-45",
    b"*a",
    b"1:1:1",
]


@pytest.mark.parametrize("source", SAMPLES)
def test_the_samples_are_imported_without_a_fault(tmp_path, source, monkeypatch):
    done = []

    def watch(config):
        done.append(ingestion.ingest_log(config))
        return done[-1]

    monkeypatch.setattr(targets, "ingest_log", watch)
    name, sample = next(iter(SAMPLES[source].items()))
    targets.feed_source(tmp_path, source, name, sample)
    assert done[0].faults == ""
    assert done[0].card.sessions >= 1


@given(
    index=st.integers(0, len(FILES) - 1),
    start=st.integers(0, 300),
    length=st.integers(0, 12),
    instead=st.sampled_from(NASTY) | st.binary(max_size=6),
)
@settings(max_examples=80, deadline=None)
def test_a_mutated_sample_ends_in_an_input_error_at_worst(index, start, length, instead):
    source, name = FILES[index]
    sample = SAMPLES[source][name]
    start = min(start, len(sample))
    one_input(bytes([index]) + sample[:start] + instead + sample[start + length :])


@pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])
def test_the_samples_of_other_files_are_read_without_a_fault(tmp_path, target):
    target.feed(tmp_path, target.sample)


@given(
    index=st.integers(0, len(TARGETS) - 1),
    place=st.floats(0, 1),
    length=st.integers(0, 12),
    instead=st.sampled_from(NASTY) | st.binary(max_size=6),
)
@settings(max_examples=300, deadline=None)
def test_a_mutated_file_of_a_data_set_or_study_ends_in_an_input_error_at_worst(
    index, place, length, instead
):
    sample = TARGETS[index].sample
    start = round(place * len(sample))
    choice = len(FILES) + len(READERS) + index
    one_input(bytes([choice]) + sample[:start] + instead + sample[start + length :])


@given(choice=st.integers(len(FILES), N_TARGETS - 1), content=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_pass_through_the_readers(choice, content):
    one_input(bytes([choice]) + content)


def test_the_corpus_holds_every_sample(tmp_path):
    write_corpus(tmp_path / "corpus")
    written = list((tmp_path / "corpus").iterdir())
    assert len(written) == N_TARGETS <= 256
    for path in written:
        one_input(path.read_bytes())

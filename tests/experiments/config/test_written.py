"""Texts on the command line arrive as they were written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.config.command import run_command
from experiments.config.commands import CompareConfig, SweepConfig
from experiments.config.written import as_written, setting_type


def arrived(name, *arguments):
    seen = []
    assert run_command(name, lambda config: seen.append(config) or 0, arguments) == 0
    return seen[0]


@pytest.mark.parametrize(
    "text",
    ["2024_06", "1e5", "étude", "0x10", "true", "nan", "1_000", "-5", "ночь", "a-b.c", "off"],
)
def test_a_studys_name_is_taken_as_it_is_written(text):
    assert arrived("sweep", f"study.name={text}").study.name == text


@pytest.mark.parametrize(
    "text",
    [
        "/tmp/My Drive (1)",
        "/tmp/a,b",
        "/tmp/[x]",
        "/tmp/{a: b}",
        "C:\\new\\",
        "it's",
        'say "x"',
        "/tmp/é=ü#1",
        "~/100%",
        "/tmp/a\\'b",
    ],
)
def test_a_folder_is_taken_as_it_is_written(text):
    assert arrived("report", "study=x", f"output_dir={text}").output_dir == text
    assert arrived("sweep", f"output_dir={text}").output_dir == text


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1))
def test_any_printable_text_is_quoted_so_that_hydra_reads_it_back(text):
    from hydra.core.override_parser.overrides_parser import OverridesParser

    [override] = as_written([f"output_dir={text}"], SweepConfig)
    if override != f"output_dir={text}":
        assert OverridesParser.create().parse_override(override).value() == text


def test_a_quoted_text_and_null_mean_what_they_did():
    assert arrived("sweep", "study.name='1e5'").study.name == "1e5"
    assert arrived("sweep", "study.storage=null").study.storage is None
    assert arrived("sweep", "study.seed=3", "study.name=s${study.seed}").study.name == "s3"


def test_names_of_studies_are_told_apart_by_commas():
    assert arrived("compare", "studies=2024_06,été").studies == ["2024_06", "été"]
    assert arrived("compare", "configs=[a.yaml,b.yaml]").configs == ["a.yaml", "b.yaml"]


def test_numbers_and_groups_are_left_to_hydra():
    given = ["study.seed=1e1", "dataset=folder", "+provenance.a=1_0", "~study.name"]
    assert as_written(given, SweepConfig) == given


def test_the_type_of_a_setting_is_found_below_a_name_of_ones_own():
    assert setting_type(SweepConfig, "search_space.parameters.mine.log") is bool
    assert setting_type(SweepConfig, "study.nothing") is None
    assert setting_type(SweepConfig, "study.name.deeper") is None
    assert setting_type(CompareConfig, "studies") == list[str]

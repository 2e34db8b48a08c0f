"""The name of a data set is checked where it enters: in `dataset.yaml` and on the command line."""

import pytest
import yaml

from experiments.common.errors import InputError
from experiments.data.format.folder import load_click_log
from experiments.data.format.metadata import is_plain_name
from tests.experiments.data.studio_log import run

BAD = [
    "../../x",
    "/etc/x",
    "a/b",
    "a\\b",
    "..",
    ".",
    ".hidden",
    "",
    " ",
    " x",
    "x\n",
    "x\x00y",
    "x\x7f",
    "x" * 201,
    "é" * 101,
    3,
    None,
    ["x"],
    True,
]
GOOD = ["my log", "2024_06", "1e5", "größe, neu", "x" * 200, "a.b", "日本"]


@pytest.mark.parametrize("name", BAD, ids=repr)
def test_a_name_that_is_no_name_is_refused_with_the_folder(folder, name):
    content = yaml.safe_load((folder / "dataset.yaml").read_text())
    (folder / "dataset.yaml").write_text(yaml.safe_dump({**content, "name": name}))
    with pytest.raises(InputError, match=r"dataset\.yaml: name must be a name of at most 200"):
        load_click_log(folder)


@pytest.mark.parametrize("name", GOOD)
def test_ordinary_names_are_taken(folder, name):
    content = yaml.safe_load((folder / "dataset.yaml").read_text())
    (folder / "dataset.yaml").write_text(yaml.safe_dump({**content, "name": name}))
    assert load_click_log(folder).name == name
    assert is_plain_name(name)


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", "x\ty"])
def test_an_import_refuses_them_before_it_reads(log, name):
    with pytest.raises(InputError, match="name must be a name of at most 200 bytes"):
        run(log, name=name)
    assert not (log.parent / "out").exists()


def test_aliases_in_the_description_are_refused_at_once(folder):
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
    )
    (folder / "dataset.yaml").write_text((folder / "dataset.yaml").read_text() + bomb)
    with pytest.raises(InputError, match="found the alias"):
        load_click_log(folder)

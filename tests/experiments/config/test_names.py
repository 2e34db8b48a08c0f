"""Names that may be chosen are those that something is made of."""

from pathlib import Path

import pytest

from experiments.config.data import MADE, SOURCES
from experiments.config.places import conf_dir
from experiments.config.study import PRUNERS, SAMPLERS, TRACKERS
from experiments.data.importers.sources import IMPORTERS
from experiments.data.open_dataset import PREPARED
from experiments.study import pruners, samplers


@pytest.mark.parametrize(
    ("names", "makers"),
    [
        (SAMPLERS, samplers.MAKERS),
        (PRUNERS, pruners.MAKERS),
        (SOURCES, IMPORTERS),
        (MADE, PREPARED),
    ],
)
def test_every_name_has_a_maker_and_every_maker_a_name(names, makers):
    assert set(names) == set(makers)


@pytest.mark.parametrize(
    ("group", "names"), [("sampler", SAMPLERS), ("pruner", PRUNERS), ("tracking", TRACKERS)]
)
def test_every_name_is_a_file_to_choose(group, names):
    assert {path.stem for path in (Path(conf_dir()) / group).glob("*.yaml")} == set(names)

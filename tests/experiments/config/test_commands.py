"""What the schema of a command refuses: every bound at its edge."""

import pytest

from experiments.config.commands import CompareConfig, ExportConfig


@pytest.mark.parametrize(
    ("schema", "good", "bad", "told"),
    [
        (ExportConfig, {"format": "env"}, {"format": "pdf"}, "format must be one of all, yaml,"),
        (CompareConfig, {"studies": ["a", "b"]}, {"studies": ["a"]}, "must name two"),
    ],
)
def test_a_value_over_the_edge_is_refused_and_at_the_edge_is_not(schema, good, bad, told):
    schema(**good)
    with pytest.raises(ValueError, match="must") as refused:
        schema(**bad)
    assert told in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_the_formats_asked_for():
    assert ExportConfig(study="s", format="env").formats == ("env",)
    assert "plugin" in ExportConfig(study="s").formats

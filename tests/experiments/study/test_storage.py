"""A storage's URL that cannot be used is one sentence, without the secret in it."""

import pytest

from experiments.common.errors import InputError
from experiments.config.study import StudyConfig
from experiments.study.storage import open_storage, storage_url


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://bob:S3cretPw@h/d", "got mysql://h/d"),
        ("sqlite:///x.db", "got sqlite:///x.db"),
        ("postgresql", "this one cannot be read"),
        ("postgresql:bob:S3cretPw@h", "this one cannot be read"),
        ("postgresql+psycopg://bob:S3cretPw@h:port/d", "this one cannot be read"),
        ("postgresql+nothing://bob:S3cretPw@h/d", "there is no driver called postgresql+nothing"),
    ],
)
def test_a_bad_url_is_one_sentence(tmp_path, url, told):
    with pytest.raises(InputError) as refused:
        open_storage(url, str(tmp_path), "s")
    said = str(refused.value)
    assert said.startswith("study.storage must be ")
    assert told in said
    assert "S3cret" not in said
    assert "\n" not in said


def test_a_url_in_the_environment_is_read(monkeypatch):
    monkeypatch.setenv("SHOP_DB", "postgresql://bob:pw@h/d")
    assert storage_url(StudyConfig("s", storage_env="SHOP_DB")) == "postgresql://bob:pw@h/d"
    assert storage_url(StudyConfig("s")) is None
    monkeypatch.delenv("SHOP_DB")
    with pytest.raises(InputError, match="SHOP_DB, which is not set"):
        storage_url(StudyConfig("s", storage_env="SHOP_DB"))

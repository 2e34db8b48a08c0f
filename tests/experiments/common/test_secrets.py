"""Secrets in URLs are read from the environment, and never written or shown."""

import pytest

from experiments.common.errors import InputError
from experiments.common.secrets import STORAGE, TRACKING, without_user_info


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("http://bob:S3cretPw@127.0.0.1:9", "http://127.0.0.1:9"),
        ("postgresql+psycopg://bob:S3cretPw@h:5432/db", "postgresql+psycopg://h:5432/db"),
        ("postgresql://bob:S3cret/Pw@h/db", "postgresql://h/db"),
        ("http://bob:S3cret@Pw@h/x", "http://h/x"),
        ("https://S3cretPw@h", "https://h"),
        (
            "cannot reach 'mysql://b:S3cretPw@h/d', nor http://h",
            "cannot reach 'mysql://h/d', nor http://h",
        ),
        (
            "postgresql://h/db?user=b&password=S3cretPw&x=1",
            "postgresql://h/db?user=b&password=&x=1",
        ),
        ("http://h/?access_token=S3cretPw", "http://h/?access_token="),
    ],
)
def test_no_url_names_a_user_or_a_password(text, left):
    assert without_user_info(text) == left
    assert "S3cret" not in without_user_info(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://h:5000/path@v1",
        "sqlite:////tmp/a@b.db",
        "bob@example.org",
        "databricks",
        "such as postgresql+psycopg://user:password@host/database",
        "",
        "a: b@c",
    ],
)
def test_a_text_without_a_secret_stays_as_it_is(text):
    assert without_user_info(text) == text


def test_a_variable_that_is_named_is_read_and_one_that_is_not_set_is_named(monkeypatch):
    monkeypatch.setenv("SHOP_DB", " postgresql://b:pw@h/d ")
    assert STORAGE.read(None, "SHOP_DB") == "postgresql://b:pw@h/d"
    monkeypatch.delenv("SHOP_DB")
    with pytest.raises(InputError, match=r"study\.storage_env names .* SHOP_DB, which is not set"):
        STORAGE.read(None, "SHOP_DB")


def test_a_url_that_lost_its_secret_finds_it_in_the_environment(monkeypatch):
    monkeypatch.setenv("TRACKING_URI", "http://bob:pw@h:5000")
    assert TRACKING.read("http://h:5000", None) == "http://bob:pw@h:5000"


def test_a_variable_of_another_place_is_not_taken(monkeypatch):
    monkeypatch.setenv("TRACKING_URI", "http://bob:pw@elsewhere")
    assert TRACKING.read("http://h:5000", None) == "http://h:5000"
    assert TRACKING.read(None, None) is None

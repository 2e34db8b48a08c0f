"""Genre searches made of ratings: the rule by hand, and the full set's known size."""

import hashlib
import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from experiments.common.errors import InputError
from experiments.config.data import DatasetConfig
from experiments.data.format.folder import load_click_log
from experiments.data.made import movielens_source
from experiments.data.made.movielens import genre_sessions, prepare_movielens
from experiments.data.made.movielens_source import find_movielens, read_movielens
from experiments.data.open_dataset import open_dataset

ITEM_FLAGS = "|".join(["0", "1"] + ["0"] * 17)  # the genre Action alone


def rated(*rows: tuple[int, int, int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user", "film", "rating", "time"])


def films(**genres: tuple[str, ...]) -> pd.DataFrame:
    numbers = [int(name[1:]) for name in genres]
    titles = [f"Film {n} (1999)" for n in numbers]
    return pd.DataFrame({"film": numbers, "title": titles, "genres": list(genres.values())})


WAR = films(**{f"f{n}": ("War",) for n in range(1, 8)})


def test_a_session_is_a_sitting_of_one_genre_in_rating_order():
    ratings = rated((1, 3, 5, 30), (1, 1, 4, 10), (1, 2, 1, 20), (1, 5, 2, 50), (1, 4, 3, 40))
    shown = genre_sessions(ratings, WAR)
    assert shown["film"].tolist() == [1, 2, 3, 4, 5]
    assert shown["position"].tolist() == [0, 1, 2, 3, 4]
    assert shown["clicked"].tolist() == [True, False, True, False, False]
    assert shown["query"].unique().tolist() == ["War movies"]


def test_ratings_of_one_second_come_in_order_of_their_films():
    ratings = rated(*((1, film, film % 5 + 1, 7) for film in (5, 1, 4, 2, 3)))
    assert genre_sessions(ratings, WAR)["film"].tolist() == [1, 2, 3, 4, 5]


def test_a_gap_of_more_than_half_an_hour_ends_a_sitting():
    times = [0, 1, 2, 3, 4 + 1800, 5 + 1800]
    ratings = rated(*((1, n + 1, n % 5 + 1, at) for n, at in enumerate(times)))
    assert len(genre_sessions(ratings, WAR)) == 0
    ratings.loc[4:, "time"] -= 1
    assert len(genre_sessions(ratings, WAR)) == 6


@pytest.mark.parametrize("ratings", [(5, 5, 5, 5, 5), (1, 2, 3, 3, 3), (5, 1, 5, 1)])
def test_sessions_without_both_answers_or_too_short_are_left_out(ratings):
    rows = [(1, n + 1, rating, n) for n, rating in enumerate(ratings)]
    assert len(genre_sessions(rated(*rows), WAR)) == 0


def test_a_film_of_two_genres_stands_in_two_sessions():
    both = films(**{f"f{n}": ("War", "Drama") for n in range(1, 6)})
    shown = genre_sessions(rated(*((1, n, n, n) for n in range(1, 6))), both)
    assert sorted(shown["query"].unique()) == ["Drama movies", "War movies"]
    assert len(shown) == 10


def test_at_most_50_films_are_shown():
    many = films(**{f"f{n}": ("War",) for n in range(1, 61)})
    shown = genre_sessions(rated(*((1, n, n % 5 + 1, n) for n in range(1, 61))), many)
    assert shown["position"].tolist() == list(range(50))


def grouplens_folder(path):
    folder = path / "ml-100k"
    folder.mkdir(parents=True)
    lines = [f"1\t{film}\t{film % 5 + 1}\t{film * 10}" for film in range(1, 7)]
    (folder / "u.data").write_text("\n".join(lines) + "\n")
    item = [f"{n}|Cit\xe9 {n} (1995)|01-Jan-1995||http://x|{ITEM_FLAGS}" for n in range(1, 7)]
    (folder / "u.item").write_bytes(("\n".join(item) + "\n").encode("latin-1"))
    return folder


def test_a_local_folder_is_used_first(tmp_path, monkeypatch):
    grouplens_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    prepare_movielens(tmp_path / "out" / "movielens")
    log = load_click_log(tmp_path / "out" / "movielens")
    assert (log.n_sessions, log.n_impressions, log.personalize_by) == (1, 6, "none")
    assert log.object_titles[0] == "Cité 1 (1995)"
    assert log.query_texts.tolist() == ["Action movies"]
    np.testing.assert_array_equal(np.diff(log.object_offsets), 2)
    metadata = (tmp_path / "out" / "movielens" / "dataset.yaml").read_text()
    assert "RATING ORDER STANDS IN FOR DISPLAY ORDER" in metadata


def test_recbole_files_give_the_same_films_as_grouplens(tmp_path):
    grouplens, _ = find_movielens([grouplens_folder(tmp_path).parent])
    item = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    inter = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    item += "".join(f"{n}\tCité {n}\t1995\tAction\n" for n in range(1, 7))
    inter += "".join(f"1\t{n}\t{n % 5 + 1}\t{n * 10}\n" for n in range(1, 7))
    recbole = {"ml-100k.inter": inter.encode(), "ml-100k.item": item.encode()}
    for one, two in zip(read_movielens(grouplens), read_movielens(recbole), strict=True):
        pd.testing.assert_frame_equal(one, two, check_dtype=False)


def test_a_broken_local_archive_is_an_error_that_names_it(tmp_path):
    (tmp_path / "ml-100k.zip").write_bytes(b"PK not a zip")
    with pytest.raises(InputError, match=r"ml-100k\.zip must be a whole MovieLens 100K archive"):
        find_movielens([tmp_path])


def test_when_nothing_can_be_obtained_it_says_what_was_tried(tmp_path, monkeypatch):
    def fail() -> None:
        raise OSError("no network")

    monkeypatch.setattr(movielens_source, "_from_grouplens", fail)
    monkeypatch.setattr(movielens_source, "_from_recbole", fail)
    with pytest.raises(InputError) as raised:
        find_movielens([tmp_path])
    said = str(raised.value)
    assert said.count("no network") == 2
    assert (
        f"Put ml-100k.zip (from https://grouplens.org/datasets/movielens/100k/) into {tmp_path}"
        in said
    )


def test_a_wheel_of_another_content_is_refused(monkeypatch):
    monkeypatch.setattr(movielens_source, "RECBOLE_SHA256", "0" * 64)
    monkeypatch.setattr(movielens_source.subprocess, "run", fake_download)
    with pytest.raises(ValueError, match=r"its SHA-256 is .*, not 0000"):
        movielens_source._from_recbole()


def zipped(folder):
    """A folder as GroupLens packs it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"ml-100k/{path.name}")
    return content.getvalue()


def test_an_archive_of_another_content_is_refused(tmp_path):
    (tmp_path / "ml-100k.zip").write_bytes(zipped(grouplens_folder(tmp_path / "made")))
    with pytest.raises(InputError, match=r"ml-100k\.zip must be a whole .*its SHA-256 is"):
        find_movielens([tmp_path])


def test_an_archive_is_read_where_its_digest_is_the_published_one(tmp_path, monkeypatch):
    content = zipped(grouplens_folder(tmp_path / "made"))
    (tmp_path / "ml-100k.zip").write_bytes(content)
    monkeypatch.setattr(movielens_source, "URL_SHA256", hashlib.sha256(content).hexdigest())
    files, place = find_movielens([tmp_path])
    assert set(files) == {"u.data", "u.item"}
    assert place == str(tmp_path / "ml-100k.zip")


def test_a_download_of_another_content_is_told(tmp_path, monkeypatch):
    content = zipped(grouplens_folder(tmp_path / "made"))

    def answer(url, timeout):
        return io.BytesIO(content)

    def fail():
        raise OSError("no wheel")

    monkeypatch.setattr(movielens_source.urllib.request, "urlopen", answer)
    monkeypatch.setattr(movielens_source, "_from_recbole", fail)
    with pytest.raises(InputError, match=r"ml-100k\.zip: its SHA-256 is"):
        find_movielens([tmp_path])


def fake_download(command, **_):
    folder = command[command.index("--dest") + 1]
    with open(f"{folder}/recbole-1.2.1-py3-none-any.whl", "wb") as wheel:
        wheel.write(b"something else")
    return movielens_source.subprocess.CompletedProcess(command, 0, "", "")


def test_the_whole_set_has_its_known_size():
    log = open_dataset(DatasetConfig("movielens"))
    assert (log.n_sessions, log.n_users, log.n_impressions) == (9_855, 939, 163_449)
    assert log.n_objects == 1_682
    assert log.personalize_by == "none"
    assert np.diff(log.impression_offsets).max() == 50
    assert log.object_titles[log.object_ids.tolist().index("1")] == "Toy Story (1995)"
    assert len(log.query_ids) == 18

"""MovieLens: 100K (u.data, u.item) and latest-small (ratings.csv, movies.csv, tags.csv)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.common.errors import InputError
from experiments.config.data import IngestConfig
from experiments.data.ingestion import ingest_log
from tests.experiments.data.importers.logical_log import ingest

RATINGS = [(1, film, film % 5 + 1, 1_000 + film) for film in range(1, 7)]
MOVIES = "movieId,title,genres\n" + "".join(
    f'{n},"Film, The {n} (1995)",Comedy|Drama\n' for n in range(1, 7)
)
TAGS = "userId,movieId,tag,timestamp\n" + "".join(f"9,{n}, Dark ,5\n" for n in range(1, 7))


def write_latest(folder, ratings):
    folder.mkdir(parents=True)
    lines = [f"{u},{f},{r}.0,{t}\n" for u, f, r, t in ratings]
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + "".join(lines))
    (folder / "movies.csv").write_text(MOVIES)
    (folder / "tags.csv").write_text(TAGS)
    return folder


def test_latest_small_searches_its_tags(tmp_path):
    log = ingest("movielens", write_latest(tmp_path / "ml-latest-small", RATINGS))
    assert log.n_sessions == 1
    assert log.query_texts[log.session_query].tolist() == ["dark"]
    assert log.object_ids[log.impression_object].tolist() == [str(n) for n in range(1, 7)]
    assert log.event_impression.tolist() == [2, 3]
    assert log.object_titles[0] == "Film, The 1 (1995)"
    assert log.personalize_by == "none"


def test_100k_searches_its_genres(tmp_path):
    folder = tmp_path / "ml-100k"
    folder.mkdir()
    (folder / "u.data").write_text("".join(f"{u}\t{f}\t{r}\t{t}\n" for u, f, r, t in RATINGS))
    flags = "|".join(["0", "1"] + ["0"] * 17)
    films = "".join(f"{n}|Film {n} (1995)|x||y|{flags}\n" for n in range(1, 7))
    (folder / "u.item").write_text(films)
    log = ingest("movielens", folder)
    assert log.query_texts[log.session_query].tolist() == ["Action movies"]
    assert log.event_impression.tolist() == [2, 3]


def test_a_folder_without_ratings_says_what_it_must_hold(tmp_path):
    (tmp_path / "ml").mkdir()
    with pytest.raises(InputError, match=r"must hold u\.data and u\.item, or"):
        ingest("movielens", tmp_path / "ml")


def test_a_missing_column_is_one_sentence(tmp_path):
    folder = write_latest(tmp_path / "ml", RATINGS)
    (folder / "tags.csv").write_text("userId,movieId\n1,1\n")
    with pytest.raises(InputError, match="must be MovieLens as published"):
        ingest("movielens", folder)


@given(order=st.permutations(RATINGS))
@settings(max_examples=10, deadline=None)
def test_round_trip_in_any_order_of_rows(tmp_path_factory, order):
    path = tmp_path_factory.mktemp("trip")
    one = ingest("movielens", write_latest(path / "one", RATINGS))
    two = ingest("movielens", write_latest(path / "two", order))
    assert one.fingerprint == two.fingerprint


KINDS = {
    "all used": (RATINGS, {"read": 6, "used": 6}),
    "too few in their sitting": (
        [*RATINGS, (2, 1, 4, 9_000), (2, 2, 1, 9_001)],
        {"read": 8, "used": 6, "fewer than 5 films of a kind": 2},
    ),
    "all of them liked": (
        [*RATINGS, *((2, film, 5, 9_000 + film) for film in range(1, 6))],
        {"read": 11, "used": 6, "all or none of their kind": 5},
    ),
    "of films without a tag": (
        [*RATINGS, (1, 99, 4, 1_010), (3, 98, 2, 5)],
        {"read": 8, "used": 6, "of films of no kind": 2},
    ),
}


@pytest.mark.parametrize("case", KINDS)
def test_every_rating_of_the_source_is_accounted_for(tmp_path, case):
    ratings, expected = KINDS[case]
    folder = write_latest(tmp_path / "ml", ratings)
    config = IngestConfig(source="movielens", path=str(folder), output=str(tmp_path / "out"))
    counts = ingest_log(config).card.rows["ratings"]
    assert counts["read"] == counts["used"] + sum(
        n for why, n in counts.items() if why.startswith("left out")
    )
    for what, n_rows in expected.items():
        assert sum(n for why, n in counts.items() if what in why) == n_rows

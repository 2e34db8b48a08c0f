"""MovieLens: 100K as genre searches, latest-small with its tags as queries."""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.common.errors import InputError
from experiments.config.data import IngestConfig
from experiments.data.importers.base import Importer
from experiments.data.intake.intake import Intake
from experiments.data.made.movielens import (
    LICENCE,
    USED,
    genre_sessions,
    rating_counts,
    session_tables,
)
from experiments.data.made.movielens_source import Files, read_movielens, whole_numbers

LATEST_FILES = ("ratings.csv", "movies.csv", "tags.csv")
NEEDED = (("u.data", "u.item"), ("ml-100k.inter", "ml-100k.item"), LATEST_FILES)
NAMES = {"userId": "user", "movieId": "film", "timestamp": "time"}
BLOCK_ROWS = 16_384


def read(root: Path, _: IngestConfig, intake: Intake) -> None:
    """Read a folder of MovieLens 100K (u.data, u.item) or latest-small (ratings, movies, tags)."""
    files = {path.name: path.read_bytes() for path in sorted(root.iterdir()) if path.is_file()}
    if not any(set(names) <= set(files) for names in NEEDED):
        wanted = ", or ".join(" and ".join(names) for names in NEEDED)
        intake.reject_file(root.name, f"must hold {wanted}")
        return
    try:
        is_latest = set(LATEST_FILES) <= set(files)
        ratings, films, kinds = _latest(files) if is_latest else _whole(files)
        shown = genre_sessions(ratings, kinds)
        counts = rating_counts(ratings, kinds)
    except (ValueError, KeyError, TypeError, InputError) as error:
        intake.reject_file(
            root.name, f"must be MovieLens as published: {' '.join(str(error).split())}"
        )
        return
    if is_latest:
        shown = shown.assign(query=shown["genres"])
    used = counts.pop(USED)
    intake.count_source("ratings", len(ratings), used, counts)
    _add_films(films, intake)
    _add_sessions(shown, intake)


def _whole(files: Files) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    ratings, films = read_movielens(files)
    return ratings, films, films


def _latest(files: Files) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Ratings, films, and the tags of each film in place of its genres."""
    ratings, movies, tags = (
        pd.read_csv(io.BytesIO(files[name])).rename(columns=NAMES) for name in LATEST_FILES
    )
    ratings = whole_numbers(ratings, ["user", "film", "time"])
    ratings = ratings.assign(rating=pd.to_numeric(ratings["rating"]))
    movies, tags = whole_numbers(movies, ["film"]), whole_numbers(tags, ["film"])
    genres = movies["genres"].str.split("|").apply(lambda names: tuple(names))
    films = movies.assign(genres=genres)[["film", "title", "genres"]]
    words = tags["tag"].astype(str).str.strip().str.lower()
    tagged = tags.assign(word=words)[["film", "word"]].drop_duplicates()
    labels = tagged.groupby("film")["word"].apply(tuple).rename("genres").reset_index()
    return ratings, films, labels


def _add_films(films: pd.DataFrame, intake: Intake) -> None:
    for start in range(0, len(films), BLOCK_ROWS):
        part = films.iloc[start : start + BLOCK_ROWS]
        columns = {
            "object_id": part["film"].astype(str).tolist(),
            "title": part["title"].tolist(),
            "body": [" ".join(genres) for genres in part["genres"]],
        }
        intake.add("items", "films", np.arange(start + 1, start + 1 + len(part)), columns)


def _add_sessions(shown: pd.DataFrame, intake: Intake) -> None:
    tables = session_tables(shown)
    for name, table in tables.items():
        columns = {column: table[column] for column in table.column_names}
        if name == "sessions":
            columns["query_text"] = columns.pop("query_id")
        intake.add(name, "ratings", np.arange(1, table.num_rows + 1), columns)


IMPORTER = Importer(
    read=read,
    click_types=None,
    source="MovieLens (GroupLens): 100K, or latest-small",
    licence=LICENCE,
    how_made=(
        "A session is one user's ratings within a sitting that share a genre (100K) or a tag that "
        "anyone gave (latest-small), 5 to 50 films, at least one rated 4 or more and one below; "
        "the query is '<genre> movies' or the tag; a click is a rating of 4 or more. RATING ORDER "
        "STANDS IN FOR DISPLAY ORDER."
    ),
    personalize_by="none",
)

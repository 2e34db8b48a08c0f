"""The default data set: genre searches made of the MovieLens 100K ratings."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from adjuster.index import MetricAggregationType, MetricType, SearchIndexInfo
from experiments.data.format.folder import vector_column, write_click_log
from experiments.data.format.metadata import Metadata
from experiments.data.made.movielens_source import find_movielens, read_movielens
from experiments.data.texts.encoders import TextEncoder, WordLlamaEncoder

SITTING_GAP_SECONDS = 30 * 60
MIN_FILMS = 5
MAX_FILMS = 50
CLICK_RATING = 4
USED = "used"
NOT_USED = (
    f"fewer than {MIN_FILMS} films of a kind in their sitting",
    "all or none of their kind in their sitting liked",
    f"beyond the first {MAX_FILMS} of their kind in their sitting",
)
"""Why a rating is in no session of a kind of films, a genre or a tag; the last came furthest."""

NO_GENRE = "of films of no kind"
TWICE = "the same rating again"

LICENCE = (
    "GroupLens: for research, neither the data nor what is derived from them may be "
    "redistributed; see https://files.grouplens.org/datasets/movielens/ml-100k-README.txt"
)
HOW_MADE = (
    "A session is one user's ratings within a sitting (a gap of more than 30 minutes ends it) "
    f"that share a genre, with {MIN_FILMS} to {MAX_FILMS} films, at least one rated "
    f"{CLICK_RATING} or more and one below. The query is '<genre> movies'; an object is a film "
    "with two parts, its title with year and its genres; a click is a rating of "
    f"{CLICK_RATING} or more. RATING ORDER STANDS IN FOR DISPLAY ORDER: MovieLens does not say "
    "in which order films were shown. A user rates a film once, and a film of several genres "
    "stands in several searches of that sitting with the same rating: copies of vectors per user "
    "would be scored on what they were taught, so the default is one shared set."
)


def prepare_movielens(folder: str | Path) -> None:
    """Obtain MovieLens 100K and write it as a data set.

    Args:
        folder: Where to write; a local `ml-100k.zip` or `ml-100k/` is looked for in the working
            directory, in `data/` and beside this folder.

    Raises:
        InputError: If the ratings cannot be obtained.
    """
    places = [Path(folder).parent, Path.cwd(), Path.cwd() / "data"]
    files, source = find_movielens(places)
    ratings, films = read_movielens(files)
    tables, index = movielens_tables(ratings, films, WordLlamaEncoder())
    metadata = Metadata(
        name="movielens",
        index=index,
        source=f"MovieLens 100K, obtained from {source}",
        licence=LICENCE,
        how_made=HOW_MADE,
        personalize_by="none",
    )
    write_click_log(folder, metadata, tables)


def movielens_tables(
    ratings: pd.DataFrame, films: pd.DataFrame, encoder: TextEncoder
) -> tuple[dict[str, pa.Table], SearchIndexInfo]:
    """Ratings and films as the tables of a data set.

    Args:
        ratings: ``user, film, rating, time``.
        films: ``film, title, genres``.
        encoder: For titles, genres and queries.

    Returns:
        The tables, and the index of their vectors.
    """
    shown = genre_sessions(ratings, films)
    tables = session_tables(shown)
    tables["items"] = film_table(films, encoder)
    tables["queries"] = query_table(shown, encoder)
    index = SearchIndexInfo(encoder.dimensions, MetricType.COSINE, MetricAggregationType.MIN)
    return tables, index


def genre_sessions(ratings: pd.DataFrame, films: pd.DataFrame) -> pd.DataFrame:
    """The impressions of all sessions, in order of session and position.

    Films that a user rated in the same second are taken in the order of their numbers.

    Returns:
        ``session_id, user, query, film, rating, time, position``.
    """
    rows = candidate_rows(ratings, films)
    kept = rows[rows["why"] == USED].drop(columns="why")
    sitting, genre = kept["sitting"].astype(str), kept["genres"]
    return kept.assign(session_id=sitting + "-" + genre, query=genre + " movies")


def candidate_rows(ratings: pd.DataFrame, films: pd.DataFrame) -> pd.DataFrame:
    """Ratings of a sitting by genre, and whether a session is made of them.

    Returns:
        A row for each rating and genre of its film, with ``why``: `USED` or a reason.
    """
    ordered = ratings.sort_values(["user", "time", "film"], kind="stable", ignore_index=True)
    starts = (ordered["user"] != ordered["user"].shift()) | (
        ordered["time"] - ordered["time"].shift() > SITTING_GAP_SECONDS
    )
    ordered["sitting"] = starts.cumsum()
    genres = films[["film", "genres"]].explode("genres").dropna()
    rows = ordered.merge(genres, on="film", how="inner")
    rows = rows.sort_values(["sitting", "genres", "time", "film"], kind="stable", ignore_index=True)
    rows["position"] = rows.groupby(["sitting", "genres"]).cumcount()
    rows["clicked"] = rows["rating"] >= CLICK_RATING
    groups = rows[rows["position"] < MAX_FILMS].groupby(["sitting", "genres"])
    sizes = groups.agg(n_shown=("film", "size"), n_clicked=("clicked", "sum"))
    rows = rows.join(sizes, on=["sitting", "genres"])
    n_shown, n_clicked = rows.pop("n_shown"), rows.pop("n_clicked")
    conditions = [
        n_shown < MIN_FILMS,
        (n_clicked == 0) | (n_clicked == n_shown),
        rows["position"] >= MAX_FILMS,
    ]
    return rows.assign(why=np.select(conditions, list(NOT_USED), USED))


def rating_counts(ratings: pd.DataFrame, films: pd.DataFrame) -> dict[str, int]:
    """How many ratings are in a session, and why each of the others is in none.

    A rating whose film has several genres is counted once, by the genre that came furthest.

    Returns:
        `USED` and reasons → number of ratings; they add up to all.
    """
    rows = candidate_rows(ratings, films)
    steps = [*NOT_USED, USED]
    step = rows["why"].map({why: number for number, why in enumerate(steps)})
    furthest = step.groupby([rows["user"], rows["film"], rows["time"]]).max().value_counts()
    counts = {why: int(furthest.get(number, 0)) for number, why in enumerate(steps)}
    rated = len(ratings.drop_duplicates(["user", "film", "time"]))
    return {**counts, NO_GENRE: rated - sum(counts.values()), TWICE: len(ratings) - rated}


def session_tables(shown: pd.DataFrame) -> dict[str, pa.Table]:
    """Sessions, impressions and events of the impressions that `genre_sessions` gives."""
    first = shown[shown["position"] == 0]
    clicked = shown[shown["clicked"]]
    films = clicked["film"].astype(str)
    return {
        "sessions": _table(
            session_id=first["session_id"],
            user_id=first["user"].astype(str),
            query_id=first["query"],
            created_at=first["time"].astype("int64"),
            is_irrelevant=np.zeros(len(first), bool),
        ),
        "impressions": _table(
            session_id=shown["session_id"],
            position=shown["position"].astype("int32"),
            object_id=shown["film"].astype(str),
        ),
        "events": _table(
            event_id=clicked["session_id"] + "-" + films,
            session_id=clicked["session_id"],
            object_id=films,
            event_type=["click"] * len(clicked),
            created_at=clicked["time"].astype("int64"),
        ),
    }


def film_table(films: pd.DataFrame, encoder: TextEncoder) -> pa.Table:
    """Films as objects of two parts: the title with its year, and the genres."""
    genres = [" ".join(genres) for genres in films["genres"]]
    texts = [text for pair in zip(films["title"], genres, strict=True) for text in pair]
    return _table(
        object_id=np.repeat(films["film"].astype(str).to_numpy(), 2),
        vector=vector_column(encoder.encode(texts)),
        is_average=np.zeros(len(texts), bool),
        title=np.repeat(films["title"].to_numpy(), 2),
    )


def query_table(shown: pd.DataFrame, encoder: TextEncoder) -> pa.Table:
    """The distinct queries, each one part."""
    queries = sorted(shown["query"].unique())
    return _table(query_id=queries, vector=vector_column(encoder.encode(queries)), text=queries)


def _table(**columns: object) -> pa.Table:
    return pa.table({name: pa.array(values) for name, values in columns.items()})

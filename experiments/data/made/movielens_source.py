"""MovieLens 100K as its authors publish it: where to find it, and how to read it."""

import hashlib
import io
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from experiments.common.errors import InputError

URL = "https://files.grouplens.org/datasets/movielens/ml-100k.zip"
URL_SHA256 = "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229"
URL_TIMEOUT_SECONDS = 8
RECBOLE = "recbole==1.2.1"
RECBOLE_SHA256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
RECBOLE_FOLDER = "recbole/dataset_example/ml-100k/"
GENRES = (
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)
"""The flags of `u.item`, in the order of its columns."""

Files = Mapping[str, bytes]
"""File name → content."""


def find_movielens(places: list[Path]) -> tuple[Files, str]:
    """Obtain the files: from a local copy, from GroupLens, or out of the wheel of RecBole 1.2.1.

    Args:
        places: Folders that may hold `ml-100k.zip` or a folder `ml-100k`.

    Returns:
        The files, and where they come from.

    Raises:
        InputError: If none of the three has them; with what was tried and what to do.
    """
    for place in places:
        local = _local(place)
        if local is not None:
            return local
    tried = []
    for source, fetch in ((URL, _from_grouplens), (f"the wheel of {RECBOLE}", _from_recbole)):
        try:
            return fetch(), source
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            tried.append(f"- {source}: {' '.join(str(error).split())[:300]}")
    raise InputError(
        "MovieLens 100K could not be obtained:\n"
        + "\n".join(tried)
        + "\nPut ml-100k.zip (from https://grouplens.org/datasets/movielens/100k/) into "
        + f"{places[0].resolve()} and run again."
    )


def _local(place: Path) -> tuple[Files, str] | None:
    folder, archive = place / "ml-100k", place / "ml-100k.zip"
    if folder.is_dir():
        files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        if _reader(files):
            return files, str(folder)
    if archive.is_file():
        try:
            return _unzip(_checked(archive.read_bytes(), URL_SHA256), "ml-100k/"), str(archive)
        except (zipfile.BadZipFile, ValueError) as error:
            raise InputError(
                f"{archive} must be a whole MovieLens 100K archive, got: {error}. "
                "Fetch it again, or remove it."
            ) from None
    return None


def _unzip(content: bytes, folder: str) -> Files:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [n for n in archive.namelist() if n.startswith(folder) and not n.endswith("/")]
        files = {name.removeprefix(folder): archive.read(name) for name in names}
    if not _reader(files):
        raise ValueError(f"it holds no ratings of MovieLens 100K under {folder}")
    return files


def _from_grouplens() -> Files:
    with urllib.request.urlopen(URL, timeout=URL_TIMEOUT_SECONDS) as answer:
        return _unzip(_checked(answer.read(), URL_SHA256), "ml-100k/")


def _from_recbole() -> Files:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        done = subprocess.run(
            [*command, "--disable-pip-version-check", "--dest", folder, RECBOLE],
            capture_output=True,
            text=True,
            check=False,
        )
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            raise ValueError(f"pip download failed: {done.stderr.strip()[-250:]}")
        return _unzip(_checked(wheels[0].read_bytes(), RECBOLE_SHA256), RECBOLE_FOLDER)


def _checked(content: bytes, expected: str) -> bytes:
    """The content, if it is the one that was published.

    Raises:
        ValueError: If its SHA-256 is another.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(f"its SHA-256 is {found}, not {expected} as published")
    return content


def read_movielens(files: Files) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read ratings and films, from GroupLens' own files or from RecBole's.

    Returns:
        Ratings ``user, film, rating, time`` and films ``film, title, genres`` (the title with
        its year; a tuple of genres).

    Raises:
        InputError: If the files are not those of MovieLens 100K.
    """
    read = _reader(files)
    if read is None:
        raise InputError("MovieLens 100K must come as u.data and u.item, or ml-100k.inter.")
    ratings, films = read(files)
    return whole_numbers(ratings, ["user", "film", "time"]), whole_numbers(films, ["film"])


def whole_numbers(data: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The same rows with these columns as whole numbers.

    Raises:
        InputError: If one holds anything else, or nothing.
    """
    try:
        numbers = {name: pd.to_numeric(data[name]).astype("int64") for name in columns}
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"{', '.join(columns)} must be whole numbers: {error}.") from None
    return data.assign(**numbers)


def _reader(files: Files) -> Callable[[Files], tuple[pd.DataFrame, pd.DataFrame]] | None:
    if {"u.data", "u.item"} <= set(files):
        return _read_grouplens
    if {"ml-100k.inter", "ml-100k.item"} <= set(files):
        return _read_recbole
    return None


def _read_grouplens(files: Files) -> tuple[pd.DataFrame, pd.DataFrame]:
    names = ["user", "film", "rating", "time"]
    ratings = pd.read_csv(io.BytesIO(files["u.data"]), sep="\t", names=names)
    columns = ["film", "title", "released", "video", "url", *GENRES]
    films = pd.read_csv(
        io.BytesIO(files["u.item"]), sep="|", names=columns, encoding="latin-1", quoting=3
    )
    flags = films[list(GENRES)].to_numpy(bool)
    films["genres"] = [tuple(g for g, has in zip(GENRES, row, strict=True) if has) for row in flags]
    films["title"] = films["title"].str.strip()
    return ratings, films[["film", "title", "genres"]]


def _read_recbole(files: Files) -> tuple[pd.DataFrame, pd.DataFrame]:
    ratings = pd.read_csv(io.BytesIO(files["ml-100k.inter"]), sep="\t")
    ratings.columns = pd.Index(["user", "film", "rating", "time"])
    films = pd.read_csv(io.BytesIO(files["ml-100k.item"]), sep="\t", quoting=3, dtype=str)
    films.columns = pd.Index(["film", "title", "year", "genres"])
    years = films["year"].fillna("").str.strip()
    dated = films["title"].str.strip() + " (" + years + ")"
    films["title"] = dated.where(years.str.fullmatch(r"\d{4}"), films["title"].str.strip())
    films["film"] = films["film"].astype("int64")
    films["genres"] = [tuple(genres.split()) for genres in films["genres"]]
    return ratings, films[["film", "title", "genres"]]

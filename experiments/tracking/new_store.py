"""A new MLflow store in a file, whole or not there.

MLflow makes its tables one by one, and never again opens a store in which it was stopped.
"""

import os
from pathlib import Path

SQLITE = "sqlite:///"


def make_store(uri: str) -> None:
    """Make the store of a URI, unless it is there or is no file.

    Args:
        uri: Of a tracking server or store.
    """
    path = file_of(uri)
    if path is None or path.exists():
        return
    from mlflow.tracking import MlflowClient

    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    try:
        MlflowClient(tracking_uri=f"{SQLITE}{unfinished}").search_experiments(max_results=1)
        _put(unfinished, path)
    finally:
        for left in (unfinished, unfinished.with_name(f"{unfinished.name}-journal")):
            left.unlink(missing_ok=True)


def file_of(uri: str) -> Path | None:
    """The file of a store; none of a server and of a store elsewhere.

    Example:
        >>> file_of("sqlite:////data/mlflow.db"), file_of("http://127.0.0.1:5000")
        (PosixPath('/data/mlflow.db'), None)
    """
    name = uri.removeprefix(SQLITE)
    return None if name == uri or not name or "?" in name or ":" in name else Path(name).absolute()


def _put(unfinished: Path, path: Path) -> None:
    """Put a store in its place; one that another process put there meanwhile stays."""
    try:
        os.link(unfinished, path)
    except FileExistsError:
        return
    except OSError:
        # A file system without links: then the last one stays, and both are empty.
        os.replace(unfinished, path)

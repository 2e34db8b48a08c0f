"""The columns of a data set, for whoever shows which there are."""

from experiments.data.format.schema import TABLES, Column


def columns() -> dict[str, Column]:
    """Every column by its table and name, as ``sessions.session_id``; optional ones too.

    Example:
        >>> columns()["events.created_at"].kind
        'time'
    """
    return {f"{table}.{item.name}": item for table, found in TABLES.items() for item in found}

"""Where a Ray is to be found."""

from urllib.parse import urlsplit

from adjuster.ranges import Constraint


def ray_address() -> Constraint:
    """Where a Ray is to be found: of this machine, or as its client takes it.

    Example:
        >>> ray_address().holds("auto"), ray_address().holds("ray://head:10001")
        (True, True)
        >>> ray_address().holds("ray://head"), ray_address().holds("head:6379")
        (False, False)
    """

    def holds(value: object) -> bool:
        if value in ("auto", "local"):
            return True
        try:
            where = urlsplit(str(value))
            return where.scheme == "ray" and bool(where.hostname) and where.port is not None
        except ValueError:
            return False

    return Constraint("auto, local or ray://host:port", holds)

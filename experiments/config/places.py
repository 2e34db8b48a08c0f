"""Where the configuration lies."""

from pathlib import Path


def conf_dir() -> str:
    """Absolute path of the configuration: the installed package's, else the checkout's."""
    here = Path(__file__).resolve().parents[1]
    packaged = here / "conf"
    return str(packaged if packaged.is_dir() else here.parent / "conf")

"""Secrets in URLs: read from the environment, and never written or shown."""

import os
import re
from dataclasses import dataclass

from experiments.common.errors import InputError

_USER_INFO = re.compile(
    r"://(?!user:password@)[^/?#\s]*@|(?<!http)(?<!https)://(?!user:password@)[^:/@\s]*:[^@\s]*@"
)
"""Up to the last @ before the path; with databases a password may hold a /, as SQLAlchemy's do."""

_PASSWORD = re.compile(r"([?&](?:\w*password|passwd|pwd|\w*token|secret)=)[^&#\s'\"]*", re.I)


def without_user_info(text: str) -> str:
    """A text whose URLs name no user and no password.

    Example:
        >>> without_user_info("http://bob:pw@host:5000 and postgresql://h/db?password=pw&x=1")
        'http://host:5000 and postgresql://h/db?password=&x=1'
        >>> without_user_info("sqlite:///a@b.db, bob@host")
        'sqlite:///a@b.db, bob@host'
    """
    return _PASSWORD.sub(r"\1", _USER_INFO.sub("://", text))


@dataclass(frozen=True)
class SecretUrl:
    """A setting that holds a URL which may hold a secret.

    Args:
        setting: Its name; ``<setting>_env`` names a variable of the environment instead.
        variable: Where the whole URL is looked for once it was written without its secret.
    """

    setting: str
    variable: str

    def read(self, url: str | None, variable: str | None) -> str | None:
        """The URL to connect to; null where none is asked for.

        Args:
            url: The setting as given, or as it was written without its secret.
            variable: The variable that holds it instead, or null.

        Raises:
            InputError: If that variable is not set.
        """
        if variable is not None:
            found = os.environ.get(variable, "").strip()
            if not found:
                raise InputError(
                    f"{self.setting}_env names the environment variable {variable}, which is not "
                    f"set. Set {variable} to the URL and give the same command again."
                )
            return found
        whole = os.environ.get(self.variable, "").strip()
        return whole if whole and without_user_info(whole) == url else url

    def advice(self, variable: str | None) -> str:
        """What to set where a connection is refused for want of a password."""
        return (
            "Passwords are not kept in files: if one is wanted, set the environment variable "
            f"{variable or self.variable} to the whole URL."
        )


STORAGE = SecretUrl("study.storage", "STUDY_STORAGE")
TRACKING = SecretUrl("tracking.uri", "TRACKING_URI")
LIVE = SecretUrl("serve.store", "LIVE_STORE")
LIVE_SOURCE = SecretUrl("live.store", "LIVE_STORE")
REGISTRY = SecretUrl("serve.registry", "LIVE_REGISTRY")

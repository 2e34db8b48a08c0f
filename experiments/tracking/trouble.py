"""What went wrong with MLflow, in a sentence that names no secret."""

from experiments.common.secrets import TRACKING, without_user_info

LONGEST_REASON = 300
REFUSED = ("401", "403", "UNAUTHENTICATED", "password")
"""What stands in the error where a server or a database wants to know who asks."""


class DeletedExperiment(Exception):
    """The experiment was deleted in MLflow, which keeps its name.

    Args:
        name: The experiment's.
        experiment_id: Its key in MLflow.
    """

    def __init__(self, name: str, experiment_id: str) -> None:
        super().__init__(
            f"the experiment {name} was deleted there, and MLflow keeps its name. Restore it "
            f"(mlflow experiments restore --experiment-id {experiment_id}), or name another one "
            "with tracking.experiment=NAME"
        )


def reason_of(error: Exception, variable: str | None = None) -> str:
    """Why MLflow could not be written, on one line.

    Args:
        error: What it raised.
        variable: The environment variable that holds the URI, or null.

    Example:
        >>> reason_of(ValueError("no way to http://bob:pw@host\\n  now"))
        'no way to http://host now'
    """
    text = without_user_info(" ".join(str(error).split()))
    if isinstance(error, DeletedExperiment):
        return text
    short = text[:LONGEST_REASON]
    if any(word in text for word in REFUSED):
        return f"{short.rstrip('.')}. {TRACKING.advice(variable).rstrip('.')}"
    return short

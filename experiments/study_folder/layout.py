"""What a sweep leaves behind: the layout of its folder, and files that are whole or absent."""

import csv
import io
import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from experiments.config.commands import SweepConfig
from experiments.study.records import TrialRecord


@dataclass(frozen=True)
class Outputs:
    """Where the files of a study lie.

    Args:
        root: The output folder of all studies.
        study: The study's name.
    """

    root: Path
    study: str

    @property
    def folder(self) -> Path:
        """The study's own folder."""
        return self.root / self.study

    @property
    def config(self) -> Path:
        """The resolved configuration, written before work starts."""
        return self.folder / "config.yaml"

    @property
    def trials(self) -> Path:
        """One row a trial."""
        return self.folder / "trials.csv"

    @property
    def summary(self) -> Path:
        """Counts, baselines and the best trial."""
        return self.folder / "summary.json"

    @property
    def best(self) -> Path:
        """The best configuration, ready to run again."""
        return self.folder / "best.yaml"

    @property
    def report(self) -> Path:
        """The report, one page that opens offline."""
        return self.folder / "report.html"

    @property
    def tracking_uri(self) -> str:
        """The MLflow store of all studies in the output folder."""
        return f"sqlite:///{self.root.resolve() / 'mlflow.db'}"

    @property
    def artifacts(self) -> Path:
        """The MLflow artifacts of all studies in the output folder."""
        return self.root.resolve() / "mlartifacts"


def write_atomic(path: Path, text: str) -> None:
    """Write a file so that it is whole or unchanged, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to that takes the place of `path` once all went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        unfinished.chmod(0o644)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_config(outputs: Outputs, config: SweepConfig) -> None:
    """Write the resolved configuration."""
    write_atomic(outputs.config, to_yaml(asdict(config)))


def to_yaml(data: Any) -> str:
    """Plain data as YAML, in the order given."""
    return yaml.dump(data, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True)


class _PlainDumper(yaml.SafeDumper):
    """Writes out what stands twice, instead of an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def write_json(path: Path, data: Any) -> None:
    """Write plain data as JSON; a figure that is not a number is null."""
    write_atomic(path, json.dumps(finite(data), indent=2, ensure_ascii=False) + "\n")


def finite(data: Any) -> Any:
    """A copy of plain data with null for NaN and infinity, which JSON does not have."""
    if isinstance(data, dict):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def write_trials(outputs: Outputs, records: list[TrialRecord]) -> None:
    """Write ``trials.csv``: the same bytes for the same trials, but for ``seconds``."""
    write_atomic(outputs.trials, trials_table(records))


def trials_table(records: list[TrialRecord]) -> str:
    """The finished trials as CSV text.

    The columns are number, state, reason, value, ``param_<setting>`` for every setting that was
    searched, the metrics, and seconds.
    """
    finished = [record for record in records if record.outcome is not None or record.lost]
    params = _names([record.values for record in finished])
    metrics = _names([record.metrics for record in finished])
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    head = ["number", "state", "reason", "value"]
    writer.writerow([*head, *(f"param_{name}" for name in params), *metrics, "seconds"])
    for record in finished:
        writer.writerow(
            [
                record.number,
                record.state,
                " ".join(record.reason.split()),
                _cell(record.value),
                *(_cell(record.values[name], "null") for name in params),
                *(_cell(record.metrics.get(name)) for name in metrics),
                f"{record.seconds:.3f}",
            ]
        )
    return lines.getvalue()


def _names(rows: list[Any]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _cell(value: Any, none: str = "") -> str:
    return none if value is None else repr(value) if isinstance(value, float) else str(value)

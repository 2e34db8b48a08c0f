"""The whole of an import: read a source, check it, write a data set, tell what happened."""

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

from experiments.common.errors import InputError
from experiments.config.data import IngestConfig
from experiments.data.card.card import DataCard, make_card
from experiments.data.card.counts import CardParts
from experiments.data.card.page import row_lines
from experiments.data.format.faults import Faults
from experiments.data.format.folder import check_free
from experiments.data.format.metadata import NAME_MUST, Metadata, is_plain_name
from experiments.data.format.schema import METADATA_FILE
from experiments.data.format.whole_folder import new_folder
from experiments.data.importers.sources import IMPORTERS
from experiments.data.intake.intake import Intake
from experiments.data.intake.rejections import Rejections
from experiments.data.intake.session_checks import SessionChecks, SourceFacts
from experiments.data.intake.staging import STAGED, Staging
from experiments.data.intake.vector_intake import VectorIntake
from experiments.data.readers.row_blocks import OPENERS

PART_BYTES = 64 << 20
"""Bytes of a source, uncompressed, whose rows are checked together."""

PACKED = 8
"""How much smaller a compressed file is taken to be."""

MAX_PARTS = 256
QUERY_BLOCK = 4096
QUARANTINE_REMEDY = (
    "Mend these rows, or say on_error=quarantine to leave them out and go on with the rest."
)


@dataclass(frozen=True)
class TableCounts:
    """What became of a table's rows: `n_in` = `n_out` + `quarantined` + all of `left_out`."""

    n_in: int
    n_out: int
    quarantined: int
    left_out: dict[str, int]

    def flat(self) -> dict[str, int]:
        """The counts by name, as the data card and `dataset.yaml` have them."""
        counts = {"read": self.n_in, "written": self.n_out, "quarantined": self.quarantined}
        return counts | {f"left out ({why})": n for why, n in self.left_out.items()}


@dataclass(frozen=True)
class Ingested:
    """What an import made.

    Args:
        card: Of the data set.
        counts: Table → what became of its rows.
        faults: Every kind of fault, with examples; "" where there is none.
    """

    card: DataCard
    counts: dict[str, TableCounts]
    faults: str


Progress = Callable[[int], object]


def ingest_log(config: IngestConfig, progress: Progress = lambda _: None) -> Ingested:
    """Import a log as a data set.

    Memory is bounded but for the ids of objects, the distinct queries, and some 30 bytes a
    session and 5 an impression for the data card.

    Args:
        config: What to read and where to write.
        progress: Told how many rows were read or checked, each time.

    Raises:
        InputError: If the log has a fault and `on_error` is ``fail``, if a file cannot be read to
            its end, or if nothing is left.
    """
    root = Path(config.path).expanduser()
    if not root.exists():
        raise InputError(f"path must be a file or folder, got {config.path!r}, which is not there.")
    if root.is_file() and config.source not in ("metarank", "table", "ubi"):
        raise InputError(f"path must be a folder for source={config.source}, got a file: {root}.")
    if not is_plain_name(name_of(config)):
        setting = "name" if config.name else "the output folder's name"
        raise InputError(f"{setting} must be {NAME_MUST}, got {name_of(config)!r}.")
    check_free(config.output, overwrite=config.overwrite)
    with new_folder(config.output) as folder:
        work = folder / ".work"
        work.mkdir()
        result = _Import(config, root, folder, work, progress).run()
        shutil.rmtree(work)
    return result


class _Import:
    def __init__(
        self,
        config: IngestConfig,
        root: Path,
        folder: Path,
        work: Path,
        progress: Progress,
    ) -> None:
        self.config, self.root, self.folder, self.work = config, root, folder, work
        self.progress = progress
        self.importer = IMPORTERS[config.source]
        self.rejections = Rejections(folder)
        self.staging = Staging(work, n_parts_for(root))
        self.vectors = VectorIntake(folder, config)
        self.intake = Intake(work, self.staging, self.vectors, self.rejections, progress)
        self.card = CardParts()

    def run(self) -> Ingested:
        self.importer.read(self.root, self.config, self.intake)
        self.intake.finish()
        self.staging.finish()
        if "queries" not in self.intake.n_in:
            self._encode_queries()
        self.vectors.close()
        if self.rejections.has_bad_file:
            # What it lacks would be told once more for each row that refers to it.
            self.rejections.close()
            self._refuse(self._unusable([self.rejections.describe()]), self._unchecked_rows())
        checks = self._check_sessions()
        counts = self._counts(checks)
        self.rejections.close()
        rows = self.intake.sources | {table: count.flat() for table, count in counts.items()}
        self._refuse_unusable(checks, rows)
        self._write_metadata(rows, complete_lists=checks.unknown.keeps_lists_whole)
        data = self.card.finish(len(self.vectors.ids("items")))
        card = make_card(name_of(self.config), data, rows)
        return Ingested(card, counts, self.rejections.describe())

    def _encode_queries(self) -> None:
        texts = pq.ParquetFile(self.work / "query-texts.parquet")
        for batch in texts.iter_batches(QUERY_BLOCK):
            faults = Faults()
            self.vectors.add("queries", pa.Table.from_batches([batch]), faults, "queries")
            for fault in faults.found:
                self.rejections.reject_file("queries", fault.what)

    def _check_sessions(self) -> SessionChecks:
        source = SourceFacts(
            files=self.intake.files,
            object_ids=self.vectors.ids("items"),
            query_ids=self.vectors.ids("queries"),
            distinct_sessions=self.intake.distinct_sessions,
            ordered_only=self.intake.ordered_only,
            refused_sessions=self.intake.refused_sessions,
            left_out_sessions=self.intake.left_out_sessions,
            unknown_objects=self.config.unknown_objects,
        )
        checks = SessionChecks(self.folder, source, self.rejections, self.card)
        checks.check(self.staging, self.progress)
        return checks

    def _counts(self, checks: SessionChecks) -> dict[str, TableCounts]:
        n_out = {**self.intake.n_vector_rows, **checks.n_out}
        counts = {
            table: TableCounts(
                n_in=n_in,
                n_out=n_out.get(table, 0),
                quarantined=self.rejections.n_rows.get(table, 0),
                left_out=dict(
                    Counter(self.intake.left_out.get(table, {}))
                    + checks.left_out.get(table, Counter())
                ),
            )
            for table, n_in in self.intake.n_in.items()
        }
        for table, count in counts.items():
            total = count.n_out + count.quarantined + sum(count.left_out.values())
            assert count.n_in == total, f"rows of {table} were lost or counted twice: {count}"
        return counts

    def _refuse_unusable(self, checks: SessionChecks, rows: dict[str, dict[str, int]]) -> None:
        what = self._why_unusable(checks)
        if what:
            self._refuse(what, rows)

    def _refuse(self, what: str, rows: dict[str, dict[str, int]]) -> NoReturn:
        counted = "\n".join(f"  {line}" for line in row_lines(rows)) or "  none"
        raise InputError(f"{what}\nRows of the source\n{counted}")

    def _unchecked_rows(self) -> dict[str, dict[str, int]]:
        """The counts of an import that ends before its sessions were checked."""
        rows = dict(self.intake.sources)
        for table, n_in in self.intake.n_in.items():
            left_out = self.intake.left_out.get(table, {})
            refused = self.rejections.n_rows.get(table, 0)
            counts = TableCounts(n_in, 0, refused, left_out).flat()
            rows[table] = counts | {"not checked": n_in - refused - sum(left_out.values())}
        return rows

    def _why_unusable(self, checks: SessionChecks) -> str:
        """What forbids to use the log, with the remedy; "" if nothing does."""
        faults = self.rejections.describe()
        reasons = [faults] if faults else []
        failing = bool(faults) and self.config.on_error == "fail"
        if failing:
            reasons.append(QUARANTINE_REMEDY)
        if checks.unknown.refuses:
            reasons.append(checks.unknown.describe())
        if failing or checks.unknown.refuses:
            return self._unusable(reasons)
        empty = [table for table in STAGED if not checks.n_out[table]]
        if empty:
            return (
                f"The log {self.config.path!r} leaves no {' and no '.join(empty)}; without "
                f"searches, results and clicks there is nothing to learn from.\n{faults}"
            ).rstrip()
        return ""

    def _unusable(self, reasons: list[str]) -> str:
        return "\n".join([f"The log {self.config.path!r} cannot be used as it is:", *reasons])

    def _write_metadata(self, rows: dict[str, dict[str, int]], *, complete_lists: bool) -> None:
        metadata = Metadata(
            name=name_of(self.config),
            index=self.vectors.index(),
            source=self.importer.source,
            licence=self.importer.licence,
            how_made=self.importer.how_made,
            personalize_by=self.config.personalize_by or self.importer.personalize_by,
            complete_lists=complete_lists,
            notes={"ingested": {"source": self.config.source, "rows": rows}},
        )
        (self.folder / METADATA_FILE).write_text(metadata.to_yaml(), encoding="utf-8")


def name_of(config: IngestConfig) -> str:
    """The name that a data set gets: the one asked for, or the output folder's."""
    return config.name or Path(config.output).resolve().name


def n_parts_for(root: Path) -> int:
    """Into how many parts a source's sessions are divided, by the size of its files."""
    files = [root] if root.is_file() else [path for path in root.rglob("*") if path.is_file()]
    sizes = [
        path.stat().st_size * (PACKED if path.suffix in (*OPENERS, ".parquet", ".pq") else 1)
        for path in files
    ]
    return max(1, min(MAX_PARTS, -(-sum(sizes) // PART_BYTES)))

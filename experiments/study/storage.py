"""Where a study lives: a journal file on this machine, or PostgreSQL for several machines."""

import hashlib
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, cast

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy import make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
    SQLAlchemyError,
)

from experiments.common.errors import InputError, Outage
from experiments.common.secrets import STORAGE, without_user_info
from experiments.config.study import StudyConfig
from experiments.study.file_lock import FileLock
from experiments.study.journal_repair import repair_journal
from experiments.study.reconnection import Answer, PatientStorage, patiently, wait_for_restarts
from experiments.study.shared_ledger import SharedLedger

HEARTBEAT_SECONDS = 30
GRACE_SECONDS = 120
POSTGRES = "postgresql"


class StudyStorage(Protocol):
    """What a study needs of its storage; `repaired` says what had to be mended, "" for nothing."""

    storage: BaseStorage
    knows_who_lives: bool
    repaired: str

    def take_over(self) -> None:
        """Become the process that mends what killed processes left behind."""

    def share(self) -> None:
        """Run trials; others may run some too."""

    def fail_lost(self, study: optuna.Study) -> None:
        """Fail the trials whose process is gone."""

    def claim_lock(self) -> AbstractContextManager[None]:
        """Nobody else claims a trial of this study meanwhile."""

    def show_claimed(self, trial_id: int) -> None:
        """Show that somebody runs a trial, before the claim lock is given back."""

    def heartbeat(self, trial_id: int) -> AbstractContextManager[None]:
        """Show, while it lasts, that the trial's process lives."""

    def patiently(self, run: Callable[[], Answer]) -> Answer:
        """Run what may be run twice, again where the storage goes away meanwhile."""

    def ledger(self) -> SharedLedger | None:
        """Where all who share this storage record sealed tests; None where nobody does."""

    def close(self) -> None:
        """Let go of the study."""


class JournalStudyStorage:
    """A journal file, with locks that vanish with the process that held them.

    Args:
        path: The file, made if absent, and mended if lines of it are damaged.

    Raises:
        InputError: If it is damaged beyond mending, or while another process has it.
    """

    knows_who_lives = False

    def __init__(self, path: Path) -> None:
        locks = path.parent / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._append = _AppendLock(locks / f"{path.stem}.append", path)
        self._claim = FileLock(locks / f"{path.stem}.claim")
        self._run = FileLock(locks / f"{path.stem}.run")
        self.repaired = self._repair()
        self.storage: BaseStorage = self._opened()

    def _opened(self) -> BaseStorage:
        """The journal read by Optuna, mended once more if it holds what Optuna cannot apply."""
        try:
            return self._read()
        except OSError:
            raise
        except Exception as error:  # Whatever Optuna raises at a value that it did not write.
            self.repaired = self._repair(replayed=True)
            if not self.repaired:
                raise InputError(
                    f"{self.path} is damaged ({error!r}) and another process has it. Stop that "
                    "process and give the command again: it sets a copy aside and keeps what can "
                    "be read."
                ) from None
        return self._read()

    def _read(self) -> BaseStorage:
        return JournalStorage(JournalFileBackend(str(self.path), cast(Any, self._append)))

    def _repair(self, *, replayed: bool = False) -> str:
        """Mend a damaged journal if nobody else has it; what was done, or ""."""
        if not self._run.try_acquire():
            return ""
        try:
            repair = repair_journal(self.path, replayed=replayed)
        finally:
            self._run.release()
        return repair.sentence if repair else ""

    def take_over(self) -> None:
        """Become the only process on this study.

        Raises:
            InputError: If another one runs it.
        """
        if not self._run.try_acquire():
            raise InputError(
                f"study.name {self.path.stem} is being run by another process. Wait for it, or "
                "start it once with study.workers=N for N processes."
            )

    def share(self) -> None:
        """Let workers join."""
        self._run.share()

    def fail_lost(self, study: optuna.Study) -> None:
        """Fail every running trial: no other process is on this study."""
        for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            self.storage.set_trial_state_values(trial._trial_id, optuna.trial.TrialState.FAIL)

    def claim_lock(self) -> AbstractContextManager[None]:
        """Hold the claim lock."""
        return self._claim.held()

    def show_claimed(self, trial_id: int) -> None:
        """The run lock shows it already."""

    @contextmanager
    def heartbeat(self, trial_id: int) -> Iterator[None]:
        """The run lock shows it already."""
        yield

    def patiently(self, run: Callable[[], Answer]) -> Answer:
        """Run it once: a file does not go away."""
        return run()

    def ledger(self) -> None:
        """A journal file is shared by none but its own output folder, which has a ledger."""

    def close(self) -> None:
        """Release the run lock."""
        self._run.release()


class _AppendLock(FileLock):
    """Taken to append to a journal; first drops a line that a killed process did not finish."""

    def __init__(self, path: Path, journal: Path) -> None:
        super().__init__(path)
        self.journal = journal

    def acquire(self) -> bool:
        # Optuna gives back what it was given; an interrupt on the way there leaves it here.
        self.release()
        super().acquire()
        try:
            _cut_torn_line(self.journal)
        except BaseException:
            self.release()
            raise
        return True


class PostgresStudyStorage:
    """A PostgreSQL database; several machines run the same command on it."""

    knows_who_lives = True
    repaired = ""

    def __init__(self, url: str, name: str) -> None:
        try:
            self._database = _open_database(url)
        except (SQLAlchemyError, StorageInternalError) as error:
            reason = without_user_info(" ".join(str(error.__cause__ or error).split()))
            raise InputError(
                f"study.storage cannot be reached: {reason.rstrip('.')}. {STORAGE.advice(None)}"
            ) from None
        wait_for_restarts(self._database.engine)
        self.storage: BaseStorage = optuna.storages.get_storage(self._database)
        digest = hashlib.sha256(name.encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)

    def take_over(self) -> None:
        """Nothing to take: the heartbeat tells who lives."""

    def share(self) -> None:
        """Nothing to share."""

    def fail_lost(self, study: optuna.Study) -> None:
        """Fail the trials whose heartbeat stopped, and those that were claimed without one.

        A process gives the claim lock back after the first heartbeat only: where a trial has none
        and the lock is ours, its process died in between.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            optuna.storages.fail_stale_trials(study)
        running = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
        ours = {trial._trial_id for trial in running if "ordinal" in trial.user_attrs}
        for trial_id in sorted(ours - self._with_heartbeat()):
            self.storage.set_trial_state_values(trial_id, optuna.trial.TrialState.FAIL)

    def _with_heartbeat(self) -> set[int]:
        with self._database.engine.connect() as connection:
            return set(connection.execute(text("SELECT trial_id FROM trial_heartbeats")).scalars())

    @contextmanager
    def claim_lock(self) -> Iterator[None]:
        """Hold an advisory lock of the database, dropped with the connection."""
        with self._database.engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": self._key})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": self._key})

    def show_claimed(self, trial_id: int) -> None:
        """Send the first heartbeat."""
        self._database.record_heartbeat(trial_id)

    @contextmanager
    def heartbeat(self, trial_id: int) -> Iterator[None]:
        """Send the heartbeat from a thread."""
        done = threading.Event()
        self._database.record_heartbeat(trial_id)

        def beat() -> None:
            while not done.wait(HEARTBEAT_SECONDS):
                # One that is lost does no harm: the next comes long before the grace is over.
                with suppress(StorageInternalError, SQLAlchemyError, Outage):
                    self._database.record_heartbeat(trial_id)

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def patiently(self, run: Callable[[], Answer]) -> Answer:
        """Run it until the database answers."""
        return patiently(run)

    def ledger(self) -> SharedLedger:
        """A table of the database."""
        return SharedLedger(self._database.engine)

    def close(self) -> None:
        """Close the connections."""
        self._database.engine.dispose()


def _open_database(url: str) -> PatientStorage:
    """Open a database, and make Optuna's tables in an empty one.

    Machines that start together on an empty database make them at once; all but one fail, and
    find them when they look again.
    """
    for again in (True, True, False):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                return PatientStorage(
                    url,
                    heartbeat_interval=HEARTBEAT_SECONDS,
                    grace_period=GRACE_SECONDS,
                    engine_kwargs={"pool_pre_ping": True},
                )
        except (IntegrityError, ProgrammingError):
            if not again:
                raise
            time.sleep(1)
    raise AssertionError("the last try returns or raises")


def journal_path(output_dir: str, name: str) -> Path:
    """Where a study's journal lies."""
    return Path(output_dir) / "studies" / f"{name}.journal"


def storage_url(config: StudyConfig) -> str | None:
    """The URL of a study's storage with its secret; null for the journal file.

    Raises:
        InputError: If it stands in an environment variable that is not set.
    """
    return STORAGE.read(config.storage, config.storage_env)


def _check_url(url: str) -> None:
    """Refuse a URL that names no database to connect to.

    Raises:
        InputError: Saying what is wrong; the URL is not told, as its secret cannot be found.
    """
    form = "study.storage must be written as postgresql+psycopg://user:password@host:port/database"
    try:
        parts = make_url(url)
        parts.get_dialect().import_dbapi()
    except NoSuchModuleError:
        kind = url.partition(":")[0]
        raise InputError(f"{form}; there is no driver called {kind}.") from None
    except (ArgumentError, ValueError):
        raise InputError(
            f"{form}; this one cannot be read (@, / and : in a password are written %40, %2F, %3A)."
        ) from None
    except ImportError as error:
        raise InputError(
            f"study.storage needs the package {error.name}. Install it with "
            "pip install '.[postgres]'."
        ) from None
    if not parts.database:
        raise InputError(f"{form}; this one names no database.")


def open_storage(url: str | None, output_dir: str, name: str) -> StudyStorage:
    """Open the storage of a study, made if new.

    Args:
        url: null for the journal file, else a PostgreSQL URL.
        output_dir: Where journals lie.
        name: The study.

    Raises:
        InputError: If the URL is of another kind or cannot be reached.
    """
    if url is None:
        return JournalStudyStorage(journal_path(output_dir, name))
    if not url.startswith(POSTGRES):
        raise InputError(
            "study.storage must be null (a journal file) or a URL such as "
            f"postgresql+psycopg://user:password@host/database, got {without_user_info(url)}."
        )
    _check_url(url)
    return PostgresStudyStorage(url, name)


def _cut_torn_line(path: Path) -> None:
    with path.open("rb+") as file:
        end = size = file.seek(0, os.SEEK_END)
        while end > 0:
            file.seek(end - 1)
            if file.read(1) == b"\n":
                break
            end -= 1
        if end < size:
            file.truncate(end)

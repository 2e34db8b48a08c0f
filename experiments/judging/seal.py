"""The seal on one data set's test, as one study meets it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from experiments.judging.finalists import Candidate
from experiments.judging.openings import DRIFT, SCORES, Ledger, Look, Opening, look_at, open_seal
from experiments.replay.settings import Settings


@dataclass(frozen=True)
class Seal:
    """What is written down when this study looks at the test.

    Args:
        ledgers: Where every look at the data is recorded.
        fingerprint: Of the data set.
        study: Name of the study.
        window: Which sessions are the test, in words.
        objective: The metric and how it is estimated.
        digest: From settings to a digest of everything that decides their figures.
        reopen: Allow a look at settings other than those opened before.
    """

    ledgers: Sequence[Ledger]
    fingerprint: str
    study: str
    window: str
    objective: str
    digest: Callable[[Settings], str]
    reopen: bool = False

    def read_drift(self, candidates: Sequence[Candidate]) -> None:
        """Write down that the test's drift is read, to choose between candidates.

        Raises:
            InputError: If the test was opened on none of these but on something else, and
                `reopen` is false.
        """
        opened = (item for item in candidates if self._look(item) is not None)
        self._open(next(opened, candidates[0]), DRIFT)

    def open(self, candidate: Candidate) -> Look:
        """Write down that the scores of the test are seen.

        Raises:
            InputError: If the test was opened on something else and `reopen` is false.
        """
        return self._open(candidate, SCORES)

    def _look(self, candidate: Candidate) -> Look | None:
        return look_at(self.ledgers, self.fingerprint, self.digest(candidate.settings))

    def _open(self, candidate: Candidate, sees: str) -> Look:
        opening = Opening(
            study=self.study,
            trial=candidate.trial,
            window=self.window,
            objective=self.objective,
            setting=self.digest(candidate.settings),
            sees=sees,
            opened_at=int(time.time()),
        )
        return open_seal(self.ledgers, self.fingerprint, opening, reopen=self.reopen)

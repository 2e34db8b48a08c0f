"""The pairs that withheld sessions show, run no further than these look at them."""

from dataclasses import dataclass

import numpy as np

from adjuster.fused_engine.streams import Corpus, Showings, Span
from experiments.config.replay import ReplayConfig
from experiments.replay.layout import Layout


@dataclass(frozen=True)
class BystanderPairs:
    """A layout's pairs for those who ask after its withheld sessions alone: one span.

    Args:
        layout: The layout; some of its scored sessions are withheld.
    """

    layout: Layout

    @property
    def config(self) -> ReplayConfig:
        """How the log is replayed."""
        return self.layout.config

    @property
    def corpus(self) -> Corpus:
        """The originals and the queries."""
        return self.layout.corpus

    @property
    def showings(self) -> Showings:
        """When the pairs are shown, to whomever."""
        return self.layout.showings

    @property
    def spans(self) -> tuple[Span, ...]:
        """Each pair from its first showing to the last in a scored session that is withheld."""
        timeline, (_, offsets, _, impression) = self.layout.timeline, self.layout.showings
        session = timeline.session_of[impression]
        is_asked = timeline.withheld[session] & (session >= timeline.scored_from)
        after_asked = np.where(is_asked, np.arange(1, len(session) + 1), 0)
        # Every pair has a showing, so that none of these stretches is empty.
        last = np.maximum.reduceat(after_asked, offsets[:-1]) if len(session) else offsets[:-1]
        end = np.maximum(last, offsets[:-1])
        return (Span((0, len(end)), offsets[:-1], end, finish=False),)

"""A ledger of openings for tests."""

from contextlib import contextmanager


class InMemory:
    """A ledger that remembers how deep its lock was held when it was written."""

    name = "memory"

    def __init__(self):
        self.kept, self.depth, self.written_at = {}, 0, []

    @contextmanager
    def lock(self):
        self.depth += 1
        yield
        self.depth -= 1

    def read(self, fingerprint):
        return self.kept.get(fingerprint, [])

    def append(self, fingerprint, opening):
        self.written_at.append(self.depth)
        self.kept.setdefault(fingerprint, []).append(opening)

"""A ledger of openings for tests."""


class InMemory:
    """A ledger that remembers how deep its lock was held when it was written."""

    name = "memory"

    def __init__(self):
        self.kept, self.depth, self.written_at = {}, 0, []

    def locked(self, action):
        self.depth += 1
        found = action()
        self.depth -= 1
        return found

    def read(self, fingerprint):
        return self.kept.get(fingerprint, [])

    def append(self, fingerprint, opening):
        self.written_at.append(self.depth)
        self.kept.setdefault(fingerprint, []).append(opening)

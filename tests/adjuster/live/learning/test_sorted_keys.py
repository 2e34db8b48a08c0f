"""A dictionary of whole numbers, as sorted arrays."""

import numpy as np

from adjuster.live.learning.sorted_keys import MISSING, SortedKeys


def test_it_holds_what_a_dictionary_would():
    rng = np.random.default_rng(0)
    table, wanted = SortedKeys(), {}
    for n in (0, 1, 30, 30, 30):
        keys = rng.choice(100, n, replace=False) << 40
        numbers = rng.integers(-9, 10**9, n)
        table.put(keys, numbers)
        wanted.update(zip(keys.tolist(), numbers.tolist(), strict=True))
        asked = np.arange(-1, 102) << 40
        assert table.find(asked).tolist() == [wanted.get(key, MISSING) for key in asked.tolist()]
        assert len(table) == len(wanted)

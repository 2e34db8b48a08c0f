"""With which chance an object stands in a slot, where two rankings fill slots in turn by chance.

A slot takes the best result of the ranking whose turn it is that is not shown yet. What is shown
after some slots is then a beginning of the one ranking and a beginning of the other together, so
that their two lengths say all: chances are summed exactly, over at most as many states as there
are slots, and need no sampling.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple, TypeVar

Item = TypeVar("Item", bound=Hashable)
Chances = list[dict[Item, float]]
"""Slot → object → chance that it stands there, > 0; each slot's sum to 1."""


def completed(ranking: Sequence[Item], other: Sequence[Item]) -> list[Item]:
    """A ranking, followed by what only the other one holds, in its order.

    Whoever has nothing left to show then goes on as the other would.

    Example:
        >>> completed("ab", "cab")
        ['a', 'b', 'c']
    """
    return list(dict.fromkeys([*ranking, *other]))


def shared_beginning(first: Sequence[Item], second: Sequence[Item]) -> int:
    """How many slots two rankings fill alike, from the first on.

    Example:
        >>> shared_beginning("abcd", "abdc")
        2
    """
    n = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        n += 1
    return n


def chances_of_draws(
    first: Sequence[Item], second: Sequence[Item], ratio: float, n_slots: int
) -> Chances[Item]:
    """Chances where each slot is drawn for itself, as `exploration.mix_exploration` draws.

    Args:
        first: Results, best first.
        second: The same results in another order.
        ratio: Chance of a slot to be filled from `second`, in [0, 1].
        n_slots: Slots that are looked at, at most all.

    Example:
        >>> chances_of_draws("ab", "ba", 0.25, 2)
        [{'a': 0.75, 'b': 0.25}, {'b': 0.75, 'a': 0.25}]
    """
    turns = (_Turn(0, 1 - ratio, None), _Turn(1, ratio, None))
    return _chances(first, second, {None: turns}, n_slots)


def chances_of_draft(first: Sequence[Item], second: Sequence[Item], n_slots: int) -> Chances[Item]:
    """Chances where a coin says who goes first in each round, as `interleaving.team_draft` does.

    Args:
        first: Results, best first.
        second: The same results in another order.
        n_slots: Slots that are looked at, at most all.

    Example:
        >>> chances_of_draft("abc", "acb", 2)
        [{'a': 1.0}, {'b': 0.5, 'c': 0.5}]
    """
    rules = {
        None: (_Turn(0, 0.5, 1), _Turn(1, 0.5, 0)),
        0: (_Turn(0, 1.0, None),),
        1: (_Turn(1, 1.0, None),),
    }
    return _chances(first, second, rules, n_slots)


class _Turn(NamedTuple):
    """Which ranking fills a slot, with which chance, and who must fill the next."""

    ranking: int
    chance: float
    owed: int | None


def _chances(
    first: Sequence[Item],
    second: Sequence[Item],
    rules: Mapping[int | None, tuple[_Turn, ...]],
    n_slots: int,
) -> Chances[Item]:
    rankings = (first, second)
    places = tuple({item: place for place, item in enumerate(ranking)} for ranking in rankings)
    n_shared = min(shared_beginning(first, second), n_slots)
    found: Chances[Item] = [{first[slot]: 1.0} for slot in range(n_shared)]
    states: dict[tuple[int, int, int | None], float] = {(n_shared, n_shared, None): 1.0}
    for _ in range(n_shared, n_slots):
        slot: defaultdict[Item, float] = defaultdict(float)
        moved: defaultdict[tuple[int, int, int | None], float] = defaultdict(float)
        for (*heads, owed), chance in states.items():
            for turn in rules[owed]:
                if not (reached := chance * turn.chance):
                    continue
                item = rankings[turn.ranking][heads[turn.ranking]]
                slot[item] += reached
                moved[(*_after(rankings, places, heads, turn.ranking), turn.owed)] += reached
        found.append(dict(slot))
        states = moved
    return found


def _after(
    rankings: tuple[Sequence[Item], Sequence[Item]],
    places: tuple[dict[Item, int], ...],
    heads: Sequence[int],
    taken: int,
) -> tuple[int, int]:
    """Where the rankings' first unshown results are, once one of them has filled a slot."""
    ends = [heads[0], heads[1]]
    ends[taken] += 1
    for which in (taken, 1 - taken, taken):
        other = 1 - which
        while (
            ends[which] < len(rankings[which])
            and places[other][rankings[which][ends[which]]] < ends[other]
        ):
            ends[which] += 1
    return ends[0], ends[1]

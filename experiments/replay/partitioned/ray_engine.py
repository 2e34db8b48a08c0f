"""``engine=ray``: actors hold the partitions, each the same ones from trial to trial.

A partition's work is sent as its number, its files are read where the actor runs. An actor that
dies costs what it was working on, which another one does anew: that in its place, or any that has
nothing else to do while that one starts, for where a machine was lost it may find no core.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from experiments.common.errors import InputError, Outage
from experiments.replay.partitioned.ray_cluster import connected, first_line
from experiments.replay.partitioned.ray_holder import PartitionHolder, code_mark
from experiments.replay.partitioned.workbench import Workbench

READY_SECONDS = 120.0
"""How long the first actor may take: to find a free core, and to import this project."""

OTHERS_SECONDS = 30.0
"""How much longer the others may."""

ATTEMPTS = 3
"""How often the work on one partition is begun, and an actor started in one place in a row."""

LOOK_SECONDS = 1.0

CURE = "Once it is mended, the same command goes on from what is kept."

Found = TypeVar("Found")


@dataclass
class Slot:
    """A place for an actor, and what it is to do.

    Args:
        actor: The actor that is in it.
        answer: What Ray is to answer for it; None while it does nothing.
        number: The partition that it works on; None while it starts.
        since: When it was asked.
        n_starts: Actors in a row that were started in it and have not answered.
        waiting: Partitions that are its next.
    """

    actor: Any
    answer: Any
    number: int | None = None
    since: float = field(default_factory=time.monotonic)
    n_starts: int = 1
    waiting: deque[int] = field(default_factory=deque)

    @property
    def is_starting(self) -> bool:
        """Whether its actor is not there yet."""
        return self.answer is not None and self.number is None

    @property
    def is_late(self) -> bool:
        """Whether it has been starting for too long."""
        return self.is_starting and time.monotonic() - self.since > READY_SECONDS


class RayEngine:
    """Actors on a Ray; to be closed.

    Args:
        address: See `connected`.
        most: Actors at most.
        n_threads: Cores of each actor; 0 is one.

    Raises:
        InputError: If there is no Ray, no core is free on it, or its code is not this one.
    """

    def __init__(self, address: str, *, most: int, n_threads: int = 0) -> None:
        self.n_threads = max(1, n_threads)
        self._told = f"Ray (engine.address={address})"
        self._stack = ExitStack()
        self._slots: list[Slot] = []
        try:
            self._connection = self._stack.enter_context(connected(address))
            self._ray = self._connection.ray
            cores = int(self._ray.cluster_resources().get("CPU", 0))
            if cores < self.n_threads:
                raise InputError(
                    f"replay.n_threads must be at most {cores}, the cores of the largest machine "
                    f"of {self._told}, got {self.n_threads}."
                )
            n_actors = max(1, min(most, cores // self.n_threads))
            self._slots += [self._filled_slot() for _ in range(n_actors)]
            self._meet_actors()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the actors, and Ray where it was started for this."""
        self._stack.close()

    @property
    def n_actors(self) -> int:
        """How many actors there are."""
        return len(self._slots)

    def map(
        self, bench: Workbench, step: Callable[[Workbench, int], Found], numbers: Iterable[int]
    ) -> Iterator[Found]:
        """See `Engine.map`.

        Raises:
            Outage: If a partition's work ends every actor that begins it, no actor is left, or
                Ray itself is gone.
        """
        here = bench.place
        config = replace(here.config, n_threads=self.n_threads)
        place = replace(here, folder=here.folder.absolute(), config=config)
        wanted = list(numbers)
        for number in wanted:
            self._slots[number % self.n_actors].waiting.append(number)
        begun = dict.fromkeys(wanted, 0)
        found: dict[int, Found] = {}
        try:
            self._connection.check()
            sent = self._ray.put(place), self._ray.put(step)
            for number in wanted:
                while number not in found:
                    self._begin(sent, begun)
                    found.update(self._look(begun))
                yield found.pop(number)
        except (self._ray.exceptions.RayError, ConnectionError) as error:
            raise Outage(f"{self._told} cannot go on: {first_line(error)}. {CURE}") from None
        finally:
            self._leave_off()

    def _begin(self, sent: tuple[Any, Any], begun: dict[int, int]) -> None:
        """Give every actor that does nothing its next partition, or that of one that starts."""
        starting = [slot for slot in self._slots if slot.is_starting]
        for slot in self._slots:
            source = next((other for other in (slot, *starting) if other.waiting), None)
            if slot.answer is None and source is not None:
                slot.number = source.waiting.popleft()
                slot.answer = slot.actor.work.remote(*sent, slot.number)
                begun[slot.number] += 1

    def _look(self, begun: dict[int, int]) -> dict[int, Any]:
        """Wait a moment for answers; those that came, by partition."""
        self._connection.check()
        asked = {slot.answer: slot for slot in self._slots if slot.answer is not None}
        ready, _ = self._ray.wait(list(asked), num_returns=1, timeout=LOOK_SECONDS)
        found = {}
        for answer in ready:
            slot = asked[answer]
            number, slot.answer = slot.number, None
            try:
                value = self._ray.get(answer)
            except self._ray.exceptions.RayTaskError as error:
                raise error.cause or error from None
            except self._ray.exceptions.RayError as error:
                self._replace_actor(slot, number, begun, error)
            else:
                if number is not None:
                    found[number] = value
                slot.n_starts = 0
        for slot in [slot for slot in self._slots if slot.is_late]:
            self._dismiss(slot)
        return found

    def _replace_actor(
        self, slot: Slot, number: int | None, begun: dict[int, int], error: Exception
    ) -> None:
        """Put a new actor where one died, which begins with what the old one was working on."""
        if number is None and slot.n_starts >= ATTEMPTS:
            self._dismiss(slot)
            return
        if number is not None and begun[number] >= ATTEMPTS:
            raise Outage(
                f"{self._told} lost {ATTEMPTS} actors at work on partition {number}, the last: "
                f"{first_line(error)}. {CURE} If memory was short, cut the data set into more "
                "partitions."
            )
        if number is not None:
            slot.waiting.appendleft(number)
        fresh = self._filled_slot()
        slot.actor, slot.answer, slot.number = fresh.actor, fresh.answer, None
        slot.since, slot.n_starts = fresh.since, slot.n_starts + 1

    def _dismiss(self, slot: Slot) -> None:
        """Do without a slot; what it was to do is for the others."""
        self._ray.kill(slot.actor)
        self._slots.remove(slot)
        if not self._slots:
            raise Outage(f"{self._told} has no free core left for an actor. {CURE}")
        for turn, number in enumerate(slot.waiting):
            self._slots[turn % self.n_actors].waiting.append(number)

    def _leave_off(self) -> None:
        """Forget what was not waited for; an actor ends what it is at before it takes the next."""
        for slot in self._slots:
            slot.waiting.clear()
            if slot.number is not None:
                slot.answer = None

    def _filled_slot(self) -> Slot:
        actor = self._ray.remote(PartitionHolder).options(num_cpus=self.n_threads).remote()
        return Slot(actor, actor.mark.remote())

    def _meet_actors(self) -> None:
        """Wait for the actors; those that find no core are done without."""
        mark, slots = code_mark(), {slot.answer: slot for slot in self._slots}
        try:
            self._ray.wait(list(slots), num_returns=1, timeout=READY_SECONDS)
            ready, late = self._ray.wait(
                list(slots), num_returns=len(slots), timeout=OTHERS_SECONDS
            )
            marks = self._ray.get(ready)
        except self._ray.exceptions.RayError as error:
            raise InputError(
                f"{self._told} cannot start an actor: {first_line(error)}. This project must be "
                "installed on each of its machines."
            ) from None
        if not ready:
            raise InputError(
                f"{self._told} has had no free core for {READY_SECONDS + OTHERS_SECONDS:.0f} s. "
                "Wait until others are done, or use engine=local."
            )
        if set(marks) != {mark}:
            raise InputError(
                f"{self._told} has another version of this project, or of NumPy, than runs here. "
                "Install the same on each of its machines."
            )
        for answer in late:
            self._dismiss(slots[answer])
        for slot in self._slots:
            slot.answer, slot.n_starts = None, 0

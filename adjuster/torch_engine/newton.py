"""`optimizer: newton` in torch: Gauss-Newton steps of all objects at once, on any device.

The same steps as the kernel's, with the derivatives taken by torch: forward mode for how the
similarities change along a direction, reverse mode for its transpose.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from adjuster.config import AdjusterConfig
from adjuster.torch_engine.loss import term_loss

HALVINGS, SUFFICIENT, NOISE = 30, 1e-4, 16
"""Of the search along a step: most halvings, Armijo's share, and roundings that are forgiven."""


@dataclass(frozen=True)
class Posterior:
    """What the clicks and the prior say of some objects, each independent of the others.

    Args:
        pooled: From all parts, shape ``(n_parts, D)``, to all terms' pooled similarities.
        clicked: Shape ``(n_terms,)``, as `unclicked`: the terms' weights in the loss.
        unclicked: With `non_clicked_weight` applied.
        originals: Shape ``(n_parts, D)``: where the prior stands.
        priors: Shape ``(n_parts,)``: its strength.
        part_object: Shape ``(n_parts,)`` int64: the object of each part.
        term_object: Shape ``(n_terms,)`` int64.
        n_objects: Numbers of objects are below it.
        config: Scale and bias of the loss.
        lengths: Shape ``(n_parts,)``: the lengths that the parts keep; None if they are free.
    """

    pooled: Callable[[Tensor], Tensor]
    clicked: Tensor
    unclicked: Tensor
    originals: Tensor
    priors: Tensor
    part_object: Tensor
    term_object: Tensor
    n_objects: int
    config: AdjusterConfig
    lengths: Tensor | None = None

    def maximize(self, start: Tensor) -> Tensor:
        """The most probable parts, by at most `num_iterations` steps. Shape ``(n_parts, D)``.

        An object is done once a step is shorter than the root of a rounding, relative to it.
        """
        vectors = self._kept(start)
        loss = self.loss(vectors)
        running = torch.ones_like(loss, dtype=torch.bool)
        for _ in range(self.config.num_iterations):
            step, fall = self._step(vectors)
            running = running & (fall > 0)
            if not running.any():
                break
            eps = torch.finfo(start.dtype).eps
            short = self._products(step, step) <= eps * self._products(vectors, vectors)
            vectors, loss = self._walk(vectors, loss, step, fall, running)
            running = running & ~short
        return vectors

    def loss(self, vectors: Tensor) -> Tensor:
        """Loss of each object, terms and prior. Shape ``(n_objects,)``."""
        terms = term_loss(self.pooled(vectors), self.clicked, self.unclicked, self.config)
        gaps = self.priors / 2 * (vectors - self.originals).square().sum(1)
        return self._sums(terms, self.term_object) + self._sums(gaps, self.part_object)

    def _step(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Each object's step, and how fast its loss falls along it: minus its slope."""
        pooled, pull = torch.func.vjp(self.pooled, vectors)[:2]
        chance = torch.sigmoid(self.config.logit_scale * (pooled - float(self.config.logit_bias)))
        slopes = self.unclicked * chance - self.clicked * (1 - chance)
        weights = self.clicked + self.unclicked
        bends = self.config.logit_scale * weights * chance * (1 - chance)
        priors = self.priors.unsqueeze(1)

        def multiply(direction: Tensor) -> Tensor:
            _, along = torch.func.jvp(self.pooled, (vectors,), (direction,))[:2]
            product: Tensor = pull(bends * along)[0] + priors * direction
            return product

        downhill = priors * (self.originals - self._along(vectors)) - pull(slopes)[0]
        return self._solve(multiply, downhill)

    def _solve(
        self, multiply: Callable[[Tensor], Tensor], residual: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Conjugate gradients, every object at its own pace (Nocedal and Wright, 2006, ch. 5)."""
        step, direction = torch.zeros_like(residual), residual
        square = self._products(residual, residual)
        enough = square * (8 * torch.finfo(residual.dtype).eps) ** 2
        fall = torch.zeros_like(square)
        for _ in range(self._most_solves()):
            active = square > enough
            if not active.any():
                break
            product = multiply(direction)
            length = _ratio(square, self._products(direction, product), active)
            fall = fall + length * square
            step = step + self._spread(length) * direction
            residual = residual - self._spread(length) * product
            before, square = square, self._products(residual, residual)
            direction = residual + self._spread(_ratio(square, before, active)) * direction
        return step, fall

    def _most_solves(self) -> int:
        counts = [
            torch.bincount(owners, minlength=self.n_objects)
            for owners in (self.part_object, self.term_object)
        ]
        return 2 * int((counts[0] + counts[1]).max())

    def _walk(
        self, vectors: Tensor, loss: Tensor, step: Tensor, fall: Tensor, running: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Go along the steps, half as far each time that an object's loss does not fall enough."""
        noise = NOISE * torch.finfo(vectors.dtype).eps * loss
        length, waiting = torch.ones_like(loss), running
        for _ in range(HALVINGS):
            there = self._kept(vectors + self._spread(torch.where(waiting, length, 0)) * step)
            now = self.loss(there)
            good = waiting & (now <= loss - SUFFICIENT * length * fall + noise)
            vectors = torch.where(self._spread(good), there, vectors)
            loss, waiting = torch.where(good, now, loss), waiting & ~good
            if not waiting.any():
                break
            length = length / 2
        return vectors, loss

    def _kept(self, vectors: Tensor) -> Tensor:
        """The parts at the lengths that they keep; no zero vector has a direction."""
        if self.lengths is None:
            return vectors
        now = vectors.norm(dim=1)
        factors = _ratio(self.lengths, now, (now > 0) & (self.lengths > 0))
        return vectors * torch.where(factors > 0, factors, 1).unsqueeze(1)

    def _along(self, vectors: Tensor) -> Tensor:
        """What of the originals does not turn the parts: all of x, or their share along it."""
        if self.lengths is None:
            return vectors
        squares = vectors.square().sum(1)
        share = _ratio((self.originals * vectors).sum(1), squares, squares > 0)
        return share.unsqueeze(1) * vectors

    def _products(self, left: Tensor, right: Tensor) -> Tensor:
        return self._sums((left * right).sum(1), self.part_object)

    def _sums(self, values: Tensor, owners: Tensor) -> Tensor:
        return values.new_zeros(self.n_objects).index_add(0, owners, values)

    def _spread(self, values: Tensor) -> Tensor:
        """One value an object to its parts, as a column."""
        return values[self.part_object].unsqueeze(1)


def _ratio(above: Tensor, below: Tensor, active: Tensor) -> Tensor:
    """``above / below`` where active, else 0."""
    return torch.where(active, above / torch.where(active, below, 1), 0)

"""Newton's steps in torch: a step against the dense system, the end against another minimizer."""

import pytest
import torch
from scipy.optimize import minimize

from adjuster import AdjusterConfig
from adjuster.torch_engine.newton import Posterior

QUERIES = torch.tensor([[0.6, 0.8, 0.0], [0.0, 0.6, 0.8], [1.0, 0.0, 0.0]], dtype=torch.float64)
CLICKED = torch.tensor([2.0, 0.0, 1.0], dtype=torch.float64)
UNCLICKED = torch.tensor([1.0, 3.0, 0.5], dtype=torch.float64)
START = torch.tensor([[0.2, -0.4, 0.9]], dtype=torch.float64)


def posterior(pooled, n_iterations: int = 50) -> Posterior:
    """One object of one part, three terms."""
    config = AdjusterConfig(
        optimizer="newton",
        loss="logistic",
        memory="refit",
        anchor_weight=0.5,
        logit_scale=3.0,
        logit_bias=0.1,
        num_iterations=n_iterations,
    )
    return Posterior(
        pooled=pooled,
        clicked=CLICKED,
        unclicked=UNCLICKED,
        originals=START,
        priors=torch.tensor([0.5], dtype=torch.float64),
        part_object=torch.tensor([0]),
        term_object=torch.tensor([0, 0, 0]),
        n_objects=1,
        config=config,
        lengths=START.norm(dim=1) if pooled is cosine else None,
    )


def dot(vectors):
    return QUERIES @ vectors[0]


def cosine(vectors):
    return QUERIES @ vectors[0] / vectors[0].norm()


def test_a_step_solves_the_dense_system():
    """(Jᵀ B J + prior) · step = downhill, laid out whole."""
    slopes = torch.func.jacrev(cosine)(START)[:, 0]  # (terms, D)
    chance = torch.sigmoid(3.0 * (cosine(START) - 0.1))
    bends = 3.0 * (CLICKED + UNCLICKED) * chance * (1 - chance)
    system = slopes.T @ torch.diag(bends) @ slopes + 0.5 * torch.eye(3, dtype=torch.float64)
    downhill = -slopes.T @ (UNCLICKED * chance - CLICKED * (1 - chance))
    step, fall = posterior(cosine)._step(START)
    torch.testing.assert_close(step[0], torch.linalg.solve(system, downhill))
    torch.testing.assert_close(fall[0], downhill @ step[0])


@pytest.mark.parametrize("pooled", [dot, cosine])
def test_the_end_is_what_another_minimizer_finds(pooled):
    problem = posterior(pooled)

    def loss(x):
        kept = problem._kept(torch.tensor(x.reshape(1, 3)))
        return float(problem.loss(kept)[0])

    found = minimize(loss, START.numpy().ravel(), tol=1e-12)
    there = problem._kept(torch.tensor(found.x.reshape(1, 3)))
    torch.testing.assert_close(problem.maximize(START), there, rtol=0, atol=1e-4)
    assert loss(problem.maximize(START).numpy()) <= found.fun + 1e-12


def test_a_linear_similarity_takes_few_steps():
    few, many = (posterior(dot, n).maximize(START) for n in (6, 50))
    torch.testing.assert_close(few, many, rtol=0, atol=1e-9)


def test_a_step_that_overshoots_is_halved():
    """Steep and far off: the model at the start is nearly flat, and its step far too long."""
    config = AdjusterConfig(
        optimizer="newton",
        loss="logistic",
        memory="refit",
        anchor_weight=1e-6,
        logit_scale=40.0,
        logit_bias=0.0,
        num_iterations=1,
    )
    one = torch.tensor([1.0], dtype=torch.float64)
    problem = Posterior(
        pooled=lambda vectors: vectors[:, 0],
        clicked=one,
        unclicked=one,
        originals=torch.tensor([[0.2]], dtype=torch.float64),
        priors=torch.tensor([1e-6], dtype=torch.float64),
        part_object=torch.tensor([0]),
        term_object=torch.tensor([0]),
        n_objects=1,
        config=config,
    )
    start = problem.originals
    step, _ = problem._step(start)
    assert problem.loss(start + step) > problem.loss(start)
    assert problem.loss(problem.maximize(start)) < problem.loss(start)

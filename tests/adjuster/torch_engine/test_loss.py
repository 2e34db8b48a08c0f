"""The losses: by hand, at their extremes, and their direction."""

import numpy as np
import pytest
import torch

from adjuster import AdjusterConfig
from adjuster.losses import check_bias, curvature
from adjuster.torch_engine.loss import term_loss


def loss(pooled, clicked, unclicked, **settings):
    tensors = (torch.tensor([value], dtype=torch.float64) for value in (pooled, clicked, unclicked))
    return term_loss(*tensors, AdjusterConfig(**settings)).item()


def test_worked_by_hand():
    assert loss(0.5, 2.0, 1.0) == pytest.approx(-0.125)
    assert loss(0.5, 2.0, 1.0, loss="linear") == pytest.approx(-0.5)
    z = 4 * (0.5 - 0.25)
    expected = (2 * np.log(1 + np.exp(-z)) + np.log(1 + np.exp(z))) / 4
    settings = {"loss": "logistic", "logit_scale": 4.0, "logit_bias": 0.25}
    assert loss(0.5, 2.0, 1.0, **settings) == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["cubic", "linear", "logistic"])
def test_falls_for_clicks_and_rises_for_the_rest(kind):
    settings = {"loss": kind, "logit_bias": 0.3}
    assert loss(0.6, 1, 0, **settings) < loss(0.5, 1, 0, **settings)
    assert loss(0.6, 0, 1, **settings) > loss(0.5, 0, 1, **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "cubic"},
        {"loss": "linear"},
        {"loss": "logistic", "logit_scale": 1.0},
        {"loss": "logistic", "logit_scale": 8.0},
        {"loss": "logistic", "logit_scale": 64.0},
    ],
)
@pytest.mark.parametrize("bias", [-0.5, 0.0, 0.5])
@pytest.mark.parametrize("clicked", [0.0, 0.3, 1.0])
def test_curvature_bounds_the_second_derivative_along_the_sphere(settings, bias, clicked):
    config, angle = AdjusterConfig(**settings, logit_bias=bias), torch.linspace(0, torch.pi, 2001)
    angle = angle.double().requires_grad_(True)
    weights = (torch.full_like(angle, clicked), torch.full_like(angle, 1 - clicked))
    total = term_loss(torch.cos(angle), *weights, config).sum()
    (slope,) = torch.autograd.grad(total, angle, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), angle)
    assert bend.abs().max() <= curvature(config) * (1 + 1e-9)


def test_the_curvature_of_the_cubic_loss_is_not_loose():
    angle = torch.linspace(0, torch.pi, 20001).double().requires_grad_(True)
    (slope,) = torch.autograd.grad((torch.cos(angle) ** 3).sum(), angle, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), angle)
    # Along a great circle the second derivative is l'' sin² - l' cos; signs may not add up.
    assert 0.9 * curvature(AdjusterConfig()) < bend.abs().max() <= curvature(AdjusterConfig())


@pytest.mark.parametrize("pooled", [-1e4, 1e4])
def test_the_logistic_loss_does_not_overflow(pooled):
    settings = {"loss": "logistic", "logit_bias": 0.0}
    assert loss(pooled, 1, 0, **settings) == pytest.approx(max(0.0, -pooled))
    assert loss(pooled, 0, 1, **settings) == pytest.approx(max(0.0, pooled))


@pytest.mark.parametrize("kind", ["cubic", "linear", "logistic"])
def test_gradients_equal_finite_differences(kind):
    rng = np.random.default_rng(0)
    pooled = torch.tensor(rng.standard_normal(5), requires_grad=True)
    clicked, unclicked = torch.tensor(rng.random((2, 5)))
    config = AdjusterConfig(loss=kind, logit_bias=0.1)
    assert torch.autograd.gradcheck(lambda s: term_loss(s, clicked, unclicked, config), (pooled,))


def test_only_the_logistic_loss_needs_a_bias():
    check_bias(AdjusterConfig())
    check_bias(AdjusterConfig(loss="logistic", logit_bias=0.0))
    with pytest.raises(ValueError, match="logit_bias must be a number for the logistic loss"):
        check_bias(AdjusterConfig(loss="logistic"))

"""A study's history in memory, where samplers propose and pruners compare.

Numbers in it count the trials that were not lost to a kill, so that what is proposed
and pruned is the same whether or not the study was ever interrupted.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, Trial, TrialState

from experiments.config.study import SamplerConfig
from experiments.replay.guardrails import GUARDRAILS
from experiments.study.forest import next_params
from experiments.study.pruners import is_paired, make_pruner
from experiments.study.rules import SearchRules
from experiments.study.samplers import make_sampler
from experiments.study.search_space import SearchSpace, Values

OWN_KEY = "cma:"
"""What a sampler keeps with its own trials (CMA-ES: its state)."""


def history(trials: Sequence[FrozenTrial], rules: SearchRules) -> list[FrozenTrial]:
    """Trials as samplers and pruners shall see them, in the order they were first claimed.

    A pruner that compares block by block stops a trial that is worse than the best on the
    blocks both saw. It counts as complete, with the best trial's value less what it was behind
    on those blocks: its own mean so far may owe more to which blocks came first than to its
    settings. Its guardrails are unknown and taken as kept: its value keeps samplers away. Another
    pruner's stopped trial counts as pruned.

    Args:
        trials: The study's trials as they ended, without those lost to a kill.
        rules: Which pruner and guardrails there are.
    """
    guardrails = [item.name for item in GUARDRAILS if item.bound(rules.guardrails) is not None]
    paired = is_paired(rules.pruner)
    ordered = sorted(trials, key=lambda trial: trial.user_attrs["ordinal"])
    best = _best(ordered)
    return [_seen(trial, paired, best, guardrails) for trial in ordered]


class Proposal:
    """A trial of the in-memory study: what it tries, and what the pruner says of it."""

    def __init__(self, study: optuna.Study, trial: Trial) -> None:
        self._trial = trial
        frozen = study.get_trials(deepcopy=False)[-1]
        self.params: Values = dict(frozen.params)
        self.distributions: dict[str, BaseDistribution] = dict(frozen.distributions)
        self.system_attrs = _own(frozen.system_attrs)

    def resume(self, trial: FrozenTrial) -> None:
        """Take over what the sampler kept with an earlier trial that this one runs again."""
        self.system_attrs = _own(trial.system_attrs)

    def report(self, block: int, value: float) -> bool:
        """Report a block's figure; whether to stop. A block without sessions says nothing."""
        if not math.isfinite(value):
            return False
        self._trial.report(value, block)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._trial.should_prune()


class InMemoryStudy:
    """The history as an in-memory study that proposes one more trial.

    Args:
        name: The study's own name: Optuna's Hyperband deals trials out by it.
        rules: Which sampler and pruner.
        trials: The history.
        parallel: Other trials may be running meanwhile.
    """

    def __init__(
        self, name: str, rules: SearchRules, trials: list[FrozenTrial], *, parallel: bool = False
    ) -> None:
        self._name = name
        self._rules = rules
        self._trials = trials
        self._parallel = parallel

    def fixed(self, space: SearchSpace, values: Mapping[str, Any]) -> Proposal:
        """A trial with given settings; those outside the space are left out of its parameters."""
        study = self._study(SamplerConfig(name="random"), 0)
        params = space.parameters(values)
        study.enqueue_trial(params)
        trial = study.ask({name: space.distributions[name] for name in params})
        return Proposal(study, trial)

    def propose(
        self, space: SearchSpace, seed: int, *, n_refused: int = 0, random: bool = False
    ) -> tuple[Proposal, Values]:
        """A trial whose parameters the sampler chose, and the settings they mean.

        Args:
            space: The search space.
            seed: Decides the choice, given the history.
            n_refused: Proposals for this trial that could not be tried.
            random: Draw independently, whatever the sampler is.
        """
        sampler = SamplerConfig(name="random") if random else self._rules.sampler
        if sampler.name == "forest":
            params = next_params(
                space,
                self._trials,
                np.random.default_rng(seed),
                n_first=sampler.family_trials,
                n_refused=n_refused,
            )
            values = space.settings(params)
            return self.fixed(space, values), values
        study = self._study(sampler, seed)
        trial = study.ask()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = space.suggest(trial)
        return Proposal(study, trial), values

    def _study(self, sampler: SamplerConfig, seed: int) -> optuna.Study:
        study = optuna.create_study(
            study_name=self._name,
            direction="maximize",
            sampler=make_sampler(sampler, seed, parallel=self._parallel),
            pruner=make_pruner(self._rules.pruner, self._rules.n_blocks),
        )
        study.add_trials(self._trials)
        return study


def _seen(
    trial: FrozenTrial, paired: bool, best: FrozenTrial | None, guardrails: list[str]
) -> FrozenTrial:
    outcome = trial.user_attrs.get("outcome")
    state, values = trial.state, trial.values
    # A stored trial has each constraint twice: by name, and in the list that others read.
    constraints = {name: trial.constraints[name] for name in guardrails if trial.constraints}
    if state == TrialState.PRUNED and paired and best is not None:
        state, values = TrialState.COMPLETE, [_estimate(trial, best)]
        constraints = dict.fromkeys(guardrails, 0.0)
    reports = (outcome or {}).get("blocks" if paired else "running", {})
    return optuna.trial.create_trial(
        state=state,
        values=values if state == TrialState.COMPLETE else None,
        params=trial.params,
        distributions=trial.distributions,
        system_attrs=_own(trial.system_attrs),
        constraints=constraints,
        intermediate_values={int(block): value for block, value in reports.items()},
    )


def _best(trials: list[FrozenTrial]) -> FrozenTrial | None:
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return max(complete, key=_value, default=None)


def _value(trial: FrozenTrial) -> float:
    return trial.values[0] if trial.values else -math.inf


def _estimate(trial: FrozenTrial, best: FrozenTrial) -> float:
    """Value of a stopped trial had it seen every block: the best's, less what it was behind."""
    mine, its = (
        {int(block): value for block, value in one.user_attrs["outcome"]["blocks"].items()}
        for one in (trial, best)
    )
    gaps = [mine[block] - its[block] for block in mine if block in its]
    return _value(best) + sum(gaps) / len(gaps) if gaps else _value(trial)


def _own(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in attributes.items() if key.startswith(OWN_KEY)}

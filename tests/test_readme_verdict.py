"""README's "How to read a verdict": behind each of its claims stand tests, named here."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

CLAIMS = {
    "Tune and test.": (
        "experiments/judging/test_tune_gain.py::test_the_best_of_many_equal_trials_promises_nothing",
        "experiments/judging/test_winner.py::test_the_interval_is_that_of_the_trial_that_was_chosen",
        "experiments/workflow/test_judgement.py::test_a_sweep_never_opens_the_test",
    ),
    "Which trial.": (
        "experiments/judging/test_choice.py::test_a_trial_of_less_drift_comes_first_and_is_said",
        "experiments/judging/test_choice.py::"
        "test_a_lag_worth_having_is_not_as_good_however_uncertain",
        "experiments/judging/test_sealed_test.py::"
        "test_the_first_candidate_that_keeps_its_drift_is_opened_once_the_reading_is_written_down",
        "experiments/judging/test_choice.py::"
        "test_behind_the_finalists_come_the_others_that_gain_anything_on_tune",
        "experiments/replay/test_drift_growth.py::"
        "test_growth_is_the_power_law_through_both_points_within_reason",
        "experiments/replay/test_drift_growth.py::"
        "test_tune_foresees_the_drift_that_the_whole_log_shows",
    ),
    "Three answers.": (
        "experiments/judging/test_verdict.py::test_a_clear_gain_within_the_guardrails_is_adopted",
        "experiments/judging/test_verdict.py::test_a_gain_that_tune_does_not_show_cannot_tell",
        "experiments/judging/test_verdict.py::test_no_gain_worth_having_keeps_off",
        "experiments/judging/test_verdict.py::test_a_broken_guardrail_keeps_off",
        "experiments/judging/test_verdict.py::"
        "test_an_interval_that_includes_zero_cannot_tell_and_says_what_would",
    ),
    "What beats it.": (
        "experiments/judging/test_verdict.py::test_the_sentence_says_what_beats_it",
        "experiments/judging/test_sealed_test.py::"
        "test_rivals_are_the_baselines_and_the_defaults_the_best_first",
        "experiments/replay/test_baselines.py::test_popularity_does_not_borrow_the_shown_order",
        "experiments/replay/test_ties.py::test_equals_fall_back_to_similarity",
        "experiments/replay/test_headroom.py::test_every_score_is_the_mean_of_all_other_sessions",
    ),
    "One scale.": (
        "experiments/replay/test_scoreboard.py::"
        "test_figures_are_means_over_users_of_their_mean_sessions",
        "experiments/judging/test_comparison.py::test_gain_over_no_adjustment_worked_by_hand",
    ),
    "One estimator.": (
        "experiments/replay/test_objective.py::test_the_key_says_what_tells_relevance",
        "experiments/replay/test_objective.py::test_one_estimator_is_handed_on_and_its_weights_where_they_fit",
        "experiments/replay/test_objective.py::test_the_sealed_test_has_no_say_in_how_it_is_scored",
        "experiments/judging/test_sealed_test.py::"
        "test_clicks_as_they_are_stand_beside_a_weighted_objective",
    ),
    "Fixed order.": (
        "experiments/judging/test_verdict.py::test_a_fixed_order_cannot_tell_however_large_the_gain",
        "experiments/replay/test_objective.py::"
        "test_clicks_as_they_are_say_so_where_the_order_never_changed",
    ),
    "Honest intervals.": (
        "experiments/judging/test_comparison.py::test_users_who_err_together_count_as_one",
        "experiments/judging/test_comparison.py::"
        "test_unsure_propensities_widen_the_interval_of_the_metric_they_weigh",
        "experiments/judging/test_comparison.py::"
        "test_an_end_that_the_data_leave_open_is_undetermined_not_a_bound",
    ),
    "People.": (
        "experiments/judging/test_verdict.py::test_sessions_without_user_are_not_people",
        "experiments/judging/test_verdict.py::test_a_handful_of_people_cannot_tell",
        "experiments/judging/test_verdict.py::test_a_gain_that_unseen_losers_could_undo_cannot_tell",
    ),
    "Crowding.": (
        "experiments/judging/test_crowding.py::"
        "test_one_behind_more_than_a_fifth_of_the_clicks_explains_a_gain_that_falls_without_it",
        "experiments/judging/test_crowding.py::"
        "test_searches_faster_than_people_are_told_with_their_share",
        "experiments/judging/test_verdict.py::"
        "test_a_gain_that_stands_without_the_crowd_is_adopted_and_says_so",
        "experiments/judging/test_sealed_test.py::"
        "test_a_bot_behind_many_names_is_seen_by_its_speed",
    ),
    "Re-finding.": (
        "experiments/judging/test_verdict.py::test_refinding_is_called_by_its_name",
        "experiments/judging/test_evidence.py::"
        "test_a_gain_is_split_into_objects_clicked_before_and_new_ones",
        "experiments/judging/test_evidence.py::test_what_people_still_click_after_a_week_they_like",
    ),
    "Not now.": (
        "experiments/judging/test_verdict.py::test_a_gain_that_turned_into_a_loss_is_not_for_now",
        "experiments/judging/test_verdict.py::test_a_gain_that_fell_to_nobody_knows_what_cannot_tell",
    ),
    "Bystanders.": (
        "experiments/judging/test_verdict.py::test_bystanders_may_lose_their_share_of_the_margin",
        "experiments/judging/test_verdict.py::test_no_evidence_on_bystanders_is_not_a_pass",
        "experiments/judging/test_sealed_test.py::test_bystanders_are_those_of_the_test_window",
    ),
    "The seal is the data's.": (
        "experiments/judging/test_openings.py::"
        "test_another_study_of_the_same_data_meets_the_same_seal",
        "experiments/judging/test_openings.py::test_a_further_look_is_counted_for_ever",
        "experiments/judging/test_looks.py::test_all_looks_together_spend_the_error_and_no_more",
        "experiments/judging/test_sealed_test.py::"
        "test_the_opening_is_recorded_even_if_the_replay_then_fails",
    ),
    "Reach 0": ("experiments/judging/test_verdict.py::test_reach_zero_keeps_off_whatever_else",),
}
"""First words of a claim → the tests that hold it."""


def test_every_claim_of_the_readme_has_its_tests():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## How to read a verdict")[1].split("\n## ")[0]
    assert re.findall(r"^\* \*\*(.+?)\*\*", section, re.MULTILINE) == list(CLAIMS)
    assert len(re.findall(r"^\* ", section, re.MULTILINE)) == len(CLAIMS)


@pytest.mark.parametrize("node", [node for nodes in CLAIMS.values() for node in nodes])
def test_the_tests_of_a_claim_are_there(node):
    path, _, name = node.partition("::")
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    assert name in {item.name for item in tree.body if isinstance(item, ast.FunctionDef)}

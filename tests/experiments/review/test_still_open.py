"""What a study that ended by itself says of what it left open."""

from experiments.review.still_open import still_open


def test_a_study_that_found_enough_says_how_much_was_left_and_how_to_go_on():
    assert still_open(0.0004, 50, 0.001) == (
        "Enough: as many trials again would be expected to gain +.0004 of what users can tell "
        "apart, below study.min_gain=0.001. study.n_trials=100 runs them all the same."
    )


def test_a_study_that_was_ended_says_what_was_open():
    said = still_open(0.05, 50, 0.001)
    assert said.startswith("Still open after 50 trials: as many trials again would be expected to")
    assert "gain +.0500, not below study.min_gain=0.001." in said


def test_a_study_that_cannot_tell_says_so():
    said = still_open(None, 50, 0.001)
    assert said.startswith("Whether more than 50 trials would gain anything")

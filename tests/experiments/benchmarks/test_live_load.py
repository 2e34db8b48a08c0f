"""What the live system is measured with."""

from experiments.benchmarks.live_load import Shop


def test_a_shop_is_the_same_for_one_seed():
    first, second = Shop(50), Shop(50)
    assert first.rows.tobytes() == second.rows.tobytes()
    sessions, events = first.searches(6, 2)
    again, again_events = second.searches(6, 2)
    assert [s.shown for s in sessions] == [s.shown for s in again]
    assert events == again_events
    assert [s.owner for s in sessions[:3]] == ["owner-00000", "owner-00001", "owner-00000"]
    assert {e.session_id for e in events} == {s.session_id for s in sessions}

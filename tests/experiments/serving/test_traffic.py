"""Simulated visitors, and the table of what became of them."""

import numpy as np

from experiments.serving.traffic import Sent, Visitors, outcome_text, send_traffic
from tests.experiments.random_log import make_log

STATUS = {
    "mode": "interleave",
    "why": "A first try.",
    "sessions": {"done": 1200, "pending": 3, "processing": 1, "failed": 0},
    "ticks": [{"tick": 10, "selected": 7, "failed": 1}, {"tick": 5, "selected": 2}],
    "searches": {"reach": 0.25, "drift": 0.0123},
    "interleaving": {"sessions": 40, "sentence": "9 of the planned 49 sessions are left."},
}


class Shop:
    """Shows the same results always, and remembers what it was told."""

    def __init__(self, shown):
        self.shown, self.told, self.n_searches = shown, [], 0

    def post(self, path, body):
        self.told.append((path.rpartition("/")[2], body))
        if path.endswith("similarity-search"):
            self.n_searches += 1
            results = [{"object_id": name} for name in self.shown]
            return {"session_id": f"s{self.n_searches}", "search_results": results}
        return {}


class Clock:
    now = 0.0

    def __call__(self):
        self.now += 0.25
        return self.now


def test_clicks_are_sent_and_their_sessions_marked():
    log = make_log(1)
    shop = Shop(log.object_ids.tolist())
    sent = send_traffic(shop, Visitors(log), 30, Clock())
    kinds = [kind for kind, _ in shop.told]
    assert sent.searches == kinds.count("similarity-search") == len(sent.seconds) > 10
    assert kinds.count("events") == kinds.count("use-for-improvement") > 5
    events = [body for kind, body in shop.told if kind == "events"]
    assert sum(len(body["events"]) for body in events) == sent.clicks
    for body in events:
        assert {event["object_id"] for event in body["events"]} <= set(shop.shown)
    asked = {body["search_query"] for kind, body in shop.told if kind == "similarity-search"}
    assert asked <= set(log.query_ids)


def test_visitors_do_the_same_with_the_same_seed():
    log = make_log(2)
    one, same, other = (Visitors(log, seed) for seed in (0, 0, 1))
    shown = log.object_ids.tolist()
    first = [(visitors.ask(), visitors.clicks(0, shown)) for visitors in (one, same, other)]
    assert first[0] == first[1] != first[2]


def test_what_the_log_clicked_is_clicked_more_often_and_the_top_too():
    log = make_log(3, n_sessions=400, n_queries=1)
    visitors, shown = Visitors(log), log.object_ids.tolist()
    rates = np.array([visitors._liked[0, name] for name in shown])
    best, worst = shown[int(rates.argmax())], shown[int(rates.argmin())]
    counts = dict.fromkeys(shown, 0)
    tops = 0
    for _ in range(2000):
        for name in visitors.clicks(0, [best, worst, best]):
            counts[name] += 1
        tops += visitors.clicks(0, [best, worst])[:1] == [best]
    assert counts[best] > 1.5 * counts[worst] > 0
    assert tops > 0


def test_the_table_says_what_happened():
    text = outcome_text(Sent(1500, 321, [0.001, 0.002, 0.1]), STATUS)
    for words in (
        *("1,500", "321", "2.0 and ", "1,200", "2, 8 sessions", "25%", "0.012"),
        *("interleave: A first try.", "40 sessions: 9 of the planned"),
    ):
        assert words in text
    unknown = STATUS | {"searches": {"reach": None, "drift": None}, "interleaving": None}
    text = outcome_text(Sent(), unknown | {"ticks": []})
    assert text.count("not known") == 2
    assert "none yet" in text

"""A replay written for clarity: one session at a time, dictionaries, the autograd oracle.

It shares nothing with the fast replay but the oracle, which has tests of its own.
"""

import math

import numpy as np

from adjuster.feedback import FeedbackBatch
from adjuster.ragged import offsets_of
from adjuster.torch_engine.autograd import adjust_with_autograd

QUIET = 1800


def replay_naively(log, settings, *, scope, warmup_end, n_sessions, batch_size, withheld=()):
    """Session → (scores of its results, which of them are adjusted), for every replayed session."""
    owner_of = {
        "user_id": lambda s: int(log.session_user[s]),
        "segment": lambda s: int(log.session_segment[s]),
        "none": lambda s: 0,
    }[scope]
    closes_at = int(log.session_created_at[n_sessions - 1])
    waiting, copies, learnt = [], {}, {}
    scores, adjusted = {}, {}
    ticks = sorted(
        {
            tick_of(log, s, settings.adjuster.interval_seconds)
            for s in range(n_sessions)
            if marked_at(log, s) is not None
        }
    )
    for s in range(n_sessions):
        now = int(log.session_created_at[s])
        while ticks and ticks[0] < now:
            tick(log, settings, ticks.pop(0), waiting, copies, learnt, owner_of, batch_size)
        owner = owner_of(s)
        shown = results_of(log, s)
        scores[s] = [score(log, s, copies.get((owner, o), original(log, o))) for o in shown]
        adjusted[s] = [(owner, o) in copies for o in shown]
        usable = owner >= 0 and int(log.session_query[s]) not in withheld
        if usable and marked_at(log, s) is not None:
            waiting.append(s)
    while ticks and ticks[0] <= closes_at:
        tick(log, settings, ticks.pop(0), waiting, copies, learnt, owner_of, batch_size)
    return scores, adjusted, copies


def results_of(log, s):
    first, last = log.impression_offsets[s], log.impression_offsets[s + 1]
    return [int(o) for o in log.impression_object[first:last]]


def events_of(log, s):
    """(position in the results, time) of each event."""
    first, last = log.impression_offsets[s], log.impression_offsets[s + 1]
    return [
        (int(impression - first), int(at))
        for impression, at in zip(log.event_impression, log.event_created_at, strict=True)
        if first <= impression < last
    ]


def marked_at(log, s):
    times = sorted(max(at, int(log.session_created_at[s])) for _, at in events_of(log, s))
    for here, following in zip(times, [*times, math.inf][1:], strict=True):
        if following - here > QUIET:
            return here + QUIET
    return None


def tick_of(log, s, interval):
    marked = marked_at(log, s)
    return marked if interval == 0 else math.ceil(marked / interval) * interval


def original(log, o):
    return log.object_vectors[log.object_offsets[o] : log.object_offsets[o + 1]]


def query_rows(log, s):
    q = log.session_query[s]
    return log.query_vectors[log.query_offsets[q] : log.query_offsets[q + 1]]


def score(log, s, parts):
    sims = [
        similarity(log.index.metric_type.value, q, x) for q in query_rows(log, s) for x in parts
    ]
    return max(sims) if log.index.metric_aggregation_type.value == "min" else sum(sims) / len(sims)


def similarity(metric, q, x):
    q, x = q.astype(np.float64), x.astype(np.float64)
    if metric == "dot":
        return float(q @ x)
    if metric == "euclid":
        return -float(np.linalg.norm(q - x))
    return float(q @ x / (np.linalg.norm(q) * np.linalg.norm(x)))


def tick(log, settings, now, waiting, copies, learnt, owner_of, batch_size):
    ready = sorted(
        (s for s in waiting if marked_at(log, s) <= now), key=lambda s: (marked_at(log, s), s)
    )
    for s in ready:
        waiting.remove(s)
    chosen = [s for s in ready if is_used(log, settings.selection, s, now)]
    for start in range(0, len(chosen), batch_size):
        learn(log, settings, chosen[start : start + batch_size], now, copies, learnt, owner_of)


def is_used(log, rule, s, now):
    arrived = [(position, at) for position, at in events_of(log, s) if at <= now]
    positions = {position for position, _ in arrived}
    duration = max([at for _, at in arrived], default=0) - int(log.session_created_at[s])
    return (
        not log.session_is_irrelevant[s]
        and len(positions) >= rule.min_clicks
        and (rule.max_clicks is None or len(positions) <= rule.max_clicks)
        and max(duration, 0) >= rule.min_duration_seconds
        and max(positions, default=-1) >= (rule.min_clicked_position or 0)
    )


def learn(log, settings, sessions, now, copies, learnt, owner_of):
    config = settings.adjuster
    terms = {}
    for s in sessions:
        clicked = {position for position, at in events_of(log, s) if at <= now}
        shown = results_of(log, s)
        for position, o in enumerate(shown):
            n_alike = len(clicked) if position in clicked else len(shown) - len(clicked)
            weight = 1 / n_alike if config.term_weight == "session" else 1.0
            pair = terms.setdefault((owner_of(s), o), {}).setdefault(
                int(log.session_query[s]), [0.0, 0.0]
            )
            pair[0 if position in clicked else 1] += weight
    for key, new in terms.items():
        known = learnt.setdefault(key, {}) if config.memory == "refit" else {}
        for query, (clicked, unclicked) in new.items():
            before = known.get(query, (0.0, 0.0))
            known[query] = (before[0] + clicked, before[1] + unclicked)
        origin = original(log, key[1])
        start = copies.get(key, origin) if config.memory == "carry" else origin
        weight = sum(c + config.non_clicked_weight * u for c, u in known.values())
        if weight > 0 and config.num_iterations > 0:
            copies[key] = adjust_one(log, config, start, origin, known)
        elif key in copies:
            copies[key] = start


def adjust_one(log, config, start, origin, terms):
    queries = list(terms)
    rows = [log.query_vectors[log.query_offsets[q] : log.query_offsets[q + 1]] for q in queries]
    batch = FeedbackBatch(
        vectors=start,
        originals=origin,
        object_offsets=offsets_of([len(start)]),
        query_vectors=np.concatenate(rows),
        query_offsets=offsets_of([len(part) for part in rows]),
        term_offsets=offsets_of([len(queries)]),
        term_query=np.arange(len(queries)),
        term_clicked=np.array([terms[q][0] for q in queries]),
        term_unclicked=np.array([terms[q][1] for q in queries]),
    )
    return adjust_with_autograd(batch, log.index, config)

"""The compiled loop over streams: take the steps before a showing, score it, measure drift."""

import numpy as np

from adjuster.fused_engine.descent import descend
from adjuster.fused_engine.jit import compiled
from adjuster.fused_engine.kernel import (
    copy_rows,
    dot_span,
    inverse_root,
    raw_span,
    similarity_of,
    squared_norm,
)
from adjuster.fused_engine.knobs import CARRY, COSINE, MIN, REFIT
from adjuster.fused_engine.problem import Problem, gather_rows


@compiled(inline=True)
def ranking_score(knobs, x, corpus, query):
    """Score of the parts x for a query."""
    first, last = corpus.query_offsets[query], corpus.query_offsets[query + 1]
    best, sum_of_all = -np.inf, 0.0
    for m in range(x.shape[0]):
        inverse = 1.0
        if knobs.metric == COSINE:
            inverse = inverse_root(squared_norm(x, m))
        for row in range(first, last):
            raw = np.float64(raw_span(knobs.metric, corpus.queries, row, x, m, 0, x.shape[1]))
            similarity = similarity_of(knobs.metric, raw, inverse)
            best = max(best, similarity)
            sum_of_all += similarity
    if knobs.pooling == MIN:
        return best
    return sum_of_all / (x.shape[0] * (last - first))


@compiled()
def score_range(knobs, corpus, objects, queries, scores):
    """Score objects for queries with the originals, one by one."""
    offsets = corpus.object_offsets
    for i in range(objects.shape[0]):
        parts = corpus.vectors[offsets[objects[i]] : offsets[objects[i] + 1]]
        scores[i] = ranking_score(knobs, parts, corpus, queries[i])


@compiled(inline=True)
def mean_drift(x, original):
    """Mean over parts of 1 - cosine(original, x); a zero vector has cosine 0."""
    sum_of_all = 0.0
    for m in range(x.shape[0]):
        both = np.float64(dot_span(x, m, original, m, 0, x.shape[1]))
        left, right = inverse_root(squared_norm(x, m)), inverse_root(squared_norm(original, m))
        sum_of_all += 1.0 - both * left * right
    return sum_of_all / x.shape[0]


@compiled(inline=True)
def remember(streams, state, p, lo, hi):
    """Add the steps ``lo:hi`` of a pair to the feedback in its slots."""
    lessons = streams.lessons
    slots = lessons.slot_offsets[p]
    for j in range(lessons.term_offsets[lo], lessons.term_offsets[hi]):
        slot = slots + lessons.term_slot[j]
        state.clicked[slot] += lessons.clicked[j]
        state.unclicked[slot] += lessons.unclicked[j]


@compiled(inline=True)
def gather_term(workspace, streams, counts, query, clicked, unclicked):
    """Append a term to the workspace; returns the new numbers of terms and rows."""
    n_terms, n_rows = counts
    workspace.clicked[n_terms], workspace.unclicked[n_terms] = clicked, unclicked
    offsets = streams.corpus.query_offsets
    return n_terms + 1, gather_rows(workspace, n_rows, n_terms, query, offsets)


@compiled(inline=True)
def gather_all(workspace, streams, state, p):
    """Gather the feedback so far in a pair's slots."""
    lessons, counts = streams.lessons, (0, 0)
    for k in range(lessons.slot_offsets[p], lessons.slot_offsets[p + 1]):
        clicked, unclicked = state.clicked[k], state.unclicked[k]
        if clicked > 0.0 or unclicked > 0.0:
            query = lessons.slot_query[k]
            counts = gather_term(workspace, streams, counts, query, clicked, unclicked)
    return counts


@compiled(inline=True)
def gather_step(workspace, streams, step):
    """Gather the terms of one step."""
    lessons, counts = streams.lessons, (0, 0)
    for j in range(lessons.term_offsets[step], lessons.term_offsets[step + 1]):
        clicked, unclicked, query = lessons.clicked[j], lessons.unclicked[j], lessons.term_query[j]
        counts = gather_term(workspace, streams, counts, query, clicked, unclicked)
    return counts


@compiled(inline=True)
def take_step(knobs, workspace, streams, state, p, step, x):
    """Adjust a pair's x by one step; under restart and refit anew from its original.

    Refit takes all the feedback so far, the others the step's alone.

    Returns:
        Whether it was touched.
    """
    corpus = streams.corpus
    o = streams.showings.pair_object[p]
    original = corpus.vectors[corpus.object_offsets[o] : corpus.object_offsets[o + 1]]
    if knobs.memory == REFIT:
        n_terms, n_rows = gather_all(workspace, streams, state, p)
    else:
        n_terms, n_rows = gather_step(workspace, streams, step)
    if knobs.memory == CARRY:
        start = workspace.start[: x.shape[0]]
        copy_rows(start, x)
    else:
        start = original
    problem = Problem(
        x,
        start,
        original,
        corpus.queries,
        workspace.rows[:n_rows],
        workspace.term_rows[: n_terms + 1],
        workspace.clicked[:n_terms],
        workspace.unclicked[:n_terms],
    )
    return descend(knobs, problem, workspace)


@compiled()
def run_range(knobs, workspace, streams, state, span, answers):
    """Run the pairs of a span; those that never learn keep the scores they have."""
    corpus, showings, lessons = streams
    for p in range(span.pairs[0], span.pairs[1]):
        first_step = lessons.step_offsets[p]
        n_steps = lessons.step_offsets[p + 1] - first_step
        if n_steps == 0:
            continue
        o = showings.pair_object[p]
        original = corpus.vectors[corpus.object_offsets[o] : corpus.object_offsets[o + 1]]
        if state.offsets[p + 1] > state.offsets[p]:
            x = state.vectors[state.offsets[p] : state.offsets[p + 1]]
        else:
            x = workspace.scratch[: original.shape[0]]
        done = state.steps_done[p]
        early = lessons.steps_early[p] if np.isnan(state.early_drift[p]) else 0
        if done == 0:
            copy_rows(x, original)
        # One turn past the last showing, where the streams are to be finished.
        for i in range(span.begin[p], span.end[p] + (1 if span.finish else 0)):
            needed = n_steps if i == span.end[p] else lessons.steps_before[i]
            if needed > done and knobs.memory == REFIT:
                # Only the last of several steps can be seen: each starts from the original.
                remember(streams, state, p, first_step + done, first_step + needed)
                done = needed - 1
            for step in range(first_step + done, first_step + needed):
                state.touched[p] |= take_step(knobs, workspace, streams, state, p, step, x)
                if state.touched[p] and 0 < early <= step + 1 - first_step:
                    state.early_drift[p] = mean_drift(x, original)
                    early = 0
            done = max(done, needed)
            if i < span.end[p] and state.touched[p]:
                impression = showings.impression[i]
                answers.scores[impression] = ranking_score(knobs, x, corpus, showings.query[i])
                answers.adjusted[impression] = True
        state.steps_done[p] = done
        if span.finish and state.touched[p]:
            state.drift[p] = mean_drift(x, original)

"""How the vectors of one session move, iteration by iteration."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from adjuster.adjusters.base import VectorsAdjuster
from adjuster.feedback import ImprovementElement, ImprovementInput
from experiments.common.plots import BLUE, GREY, ORANGE, style

MakeAdjuster = Callable[[int], VectorsAdjuster]
"""Builds an adjuster that takes this many iterations."""


def movement_frame(
    session: ImprovementInput, make_adjuster: MakeAdjuster, iterations: Sequence[int]
) -> pd.DataFrame:
    """Where each part of each object stands after so many iterations of one call.

    Args:
        session: The session; its vectors are the originals, NumPy arrays.
        make_adjuster: Builds the adjuster.
        iterations: Numbers of iterations, from 0.

    Returns:
        Columns ``iterations``, ``object_id``, ``clicked``, ``part``, ``similarity`` (cosine to
        the query's first part), ``drift`` (1 - cosine to the original), ``length`` (over the
        original's) and ``x``, ``y``: the view from the plane that holds the query (along x) and
        the direction in which the objects differ most.
    """
    view = _View.of(session)
    frames = [
        _stand(make_adjuster(count).adjust_vectors([session])[0], session, view).assign(
            iterations=count
        )
        for count in iterations
    ]
    return pd.concat(frames, ignore_index=True)


@dataclass(frozen=True)
class _View:
    """A plane to look at vectors from: two directions of length 1."""

    query: NDArray[np.float64]
    across: NDArray[np.float64]

    @classmethod
    def of(cls, session: ImprovementInput) -> "_View":
        query = _unit(np.asarray(session.query.vector, np.float64))[0]
        rows = np.concatenate([element.vector for element in _elements(session)]).astype(np.float64)
        beside = rows - np.outer(rows @ query, query)
        return cls(query, np.linalg.svd(beside, full_matrices=False)[2][0])


def _stand(moved: ImprovementInput, session: ImprovementInput, view: _View) -> pd.DataFrame:
    rows = []
    n_clicked = len(session.clicked_elements)
    pairs = zip(_elements(moved), _elements(session), strict=True)
    for index, (element, original) in enumerate(pairs):
        vectors = np.asarray(element.vector, np.float64)
        starts = np.asarray(original.vector, np.float64)
        lengths, before = np.linalg.norm(vectors, axis=1), np.linalg.norm(starts, axis=1)
        cosines = (_unit(vectors) * _unit(starts)).sum(axis=1)
        for part in range(len(vectors)):
            rows.append(
                {
                    "object_id": element.id,
                    "clicked": index < n_clicked,
                    "part": part,
                    "similarity": float(_unit(vectors)[part] @ view.query),
                    "drift": float(1 - cosines[part]),
                    "length": float(lengths[part] / before[part]),
                    "x": float(vectors[part] @ view.query),
                    "y": float(vectors[part] @ view.across),
                }
            )
    return pd.DataFrame(rows)


def _elements(session: ImprovementInput) -> list[ImprovementElement]:
    return [*session.clicked_elements, *session.non_clicked_elements]


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def movement_figure(frame: pd.DataFrame) -> go.Figure:
    """The paths of the vectors; the query points to the right.

    Args:
        frame: From `movement_frame`.
    """
    figure = go.Figure()
    for clicked, name, colour in ((True, "clicked", BLUE), (False, "passed over", ORANGE)):
        paths = frame[frame["clicked"] == clicked].groupby(["object_id", "part"], sort=False)
        for number, ((object_id, part), path) in enumerate(paths):
            figure.add_scatter(
                x=path["x"],
                y=path["y"],
                mode="lines+markers",
                name=name,
                legendgroup=name,
                showlegend=number == 0,
                line={"color": colour, "width": 1.5},
                marker={"size": [8] + [4] * (len(path) - 1), "color": colour},
                text=[f"after {count} iterations" for count in path["iterations"]],
                hovertemplate=f"{object_id}, part {part}<br>%{{text}}<extra></extra>",
            )
    reach = float(frame["x"].abs().max())
    figure.add_scatter(
        x=[0, max(1.0, reach)],
        y=[0, 0],
        mode="lines",
        name="query",
        line={"color": GREY, "dash": "dash"},
        hoverinfo="skip",
    )
    return style(figure, x="along the query", y="across it", height=460)


def rates_frame(
    session: ImprovementInput,
    adjusters: Mapping[str, Callable[[float], VectorsAdjuster]],
    rates: Sequence[float],
) -> pd.DataFrame:
    """What one call makes of a session's vectors at each rate.

    Args:
        session: The session, as `movement_frame` takes it.
        adjusters: Name → builds an adjuster with a rate.
        rates: The rates.

    Returns:
        Columns ``adjuster``, ``rate``, and the means over all parts of ``drift`` and ``length``,
        and over the clicked and the passed over of ``similarity_clicked`` and
        ``similarity_passed_over``.
    """
    view, rows = _View.of(session), []
    for name, make in adjusters.items():
        for rate in rates:
            stand = _stand(make(rate).adjust_vectors([session])[0], session, view)
            rows.append(
                {
                    "adjuster": name,
                    "rate": rate,
                    "drift": stand["drift"].mean(),
                    "length": stand["length"].mean(),
                    "similarity_clicked": stand.loc[stand["clicked"], "similarity"].mean(),
                    "similarity_passed_over": stand.loc[~stand["clicked"], "similarity"].mean(),
                }
            )
    return pd.DataFrame(rows)


def rates_figure(frame: pd.DataFrame, column: str, title: str) -> go.Figure:
    """One column of `rates_frame` against the rate, a line an adjuster.

    Args:
        frame: From `rates_frame`.
        column: Which.
        title: Of the vertical axis.
    """
    figure = go.Figure()
    for (name, lines), colour in zip(
        frame.groupby("adjuster", sort=False), (BLUE, ORANGE, GREY), strict=False
    ):
        figure.add_scatter(
            x=lines["rate"],
            y=lines[column],
            mode="lines+markers",
            name=str(name),
            line={"color": colour},
        )
    figure.update_xaxes(type="log")
    return style(figure, x="adjustment_rate", y=title)

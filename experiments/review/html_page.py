"""The report as one HTML page that needs nothing else: no network, no other file."""

from collections.abc import Sequence
from html import escape

import plotly.io
from plotly.offline import get_plotlyjs

from experiments.judging.verdict import ADOPT, CANNOT_TELL, KEEP_OFF
from experiments.replay.baseline_names import LOGGED_ORDER
from experiments.review.answer import FLATTERED, VerdictLines, row_name, verdict_lines
from experiments.review.figures.of_study import NamedFigure
from experiments.review.rows import Rows, finalist_rows, result_rows, sealed_rows, setting_rows
from experiments.study_folder.finished_study import FinishedStudy
from experiments.study_folder.summary import BEST

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)
"""The page may not fetch anything, so that it looks the same offline."""

STYLE = """
:root{--ink:#1d2733;--soft:#5b6673;--line:#dfe3e8;--adopt:#2a7f4f;--off:#a35a00;--open:#52606d}
*{box-sizing:border-box}
body{margin:0;color:var(--ink);background:#fff;line-height:1.45;font:15px/1.45 system-ui,
-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
main{max-width:1180px;margin:0 auto;padding:16px}
h1{font-size:1.15rem;margin:0 0 2px}h2{font-size:1.05rem;margin:0 0 2px}
.soft{color:var(--soft);font-size:.9rem;margin:0}
.verdict{border-left:8px solid var(--open);background:#f5f7f9;padding:12px 16px;margin:12px 0}
.verdict.open{border-left-style:double}
.verdict.adopt{border-color:var(--adopt)}.verdict.off{border-color:var(--off)}
.verdict strong{display:block;font-size:1.5rem;line-height:1.2}
.verdict.adopt strong{color:var(--adopt)}.verdict.off strong{color:var(--off)}
.verdict p{margin:6px 0 0}.verdict ul{margin:6px 0 0;padding-left:1.2em}
.first{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:24px}
section{margin:0 0 28px;min-width:0}
.figures{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:8px 24px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:5px 8px;border-bottom:1px solid var(--line);text-align:right;vertical-align:top;
white-space:pre}
th{font-weight:600;color:var(--soft)}th{white-space:normal}th:first-child,td:first-child{text-align:left;white-space:normal}
tr.best td{font-weight:700}
footer{border-top:1px solid var(--line);padding-top:12px;overflow-wrap:anywhere}
@media(max-width:820px){main{padding:10px}.first,.figures{grid-template-columns:minmax(0,1fr)}
th,td{padding:4px 5px}.verdict strong{font-size:1.3rem}}
@media(max-width:480px){table{font-size:.78rem}th,td{padding:4px 3px}}
@media print{@page{size:A4;margin:12mm}body{font-size:11px}main{max-width:none;padding:0}
.first,.figures{display:block}section{break-inside:avoid;margin-bottom:14px}.scroll{overflow:visible}
.verdict{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""

MEANS = "All figures are means over users, each of whom counts once."

CLASSES = {ADOPT: "adopt", KEEP_OFF: "off", CANNOT_TELL: "open"}
"""Decision → the style of the verdict's box."""

FIT_PAPER = """
const plots=()=>document.querySelectorAll('.plotly-graph-div');
addEventListener('beforeprint',()=>plots().forEach(p=>Plotly.relayout(p,{width:680})));
addEventListener('afterprint',()=>plots().forEach(p=>Plotly.relayout(p,{width:null,autosize:true})));
"""


def build_page(study: FinishedStudy, figures: Sequence[NamedFigure]) -> str:
    """The whole report of a study.

    Args:
        study: What the study left on disk.
        figures: Its figures; the first one stands beside the table.

    Returns:
        HTML; verdict, result table and first figure come first.
    """
    first, *others = figures
    lines = verdict_lines(study.summary, best=study.tune_best, opening=study.opening)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            f"<title>{escape(study.name)}: report</title>",
            f"<style>{STYLE}</style>",
            f"<script>{get_plotlyjs()}</script></head><body><main>",
            _heading(study),
            _verdict(lines),
            '<div class="first">',
            f"<section>{_results(study)}</section>",
            _figure(first),
            "</div>",
            f"<section><h2>What else to know</h2>{_list(lines.more)}",
            "</section>",
            _sealed(study),
            _finalists(study),
            f'<div class="figures">{"".join(map(_figure, others))}</div>',
            f"<section><h2>Settings</h2>{_table(setting_rows(study))}</section>",
            _footer(study),
            f"</main><script>{FIT_PAPER}</script></body></html>",
            "",
        ]
    )


def _heading(study: FinishedStudy) -> str:
    data = study.summary.dataset
    trials = ", ".join(f"{n} {state}" for state, n in study.summary.trials.by_state().items())
    return (
        f"<h1>{escape(study.name)}</h1>"
        f'<p class="soft">{escape(data.name)}: {data.n_sessions:,} sessions of '
        f"{data.n_users:,} users; trials: {escape(trials)}</p>"
    )


def _verdict(lines: VerdictLines) -> str:
    kind = f"verdict {CLASSES.get(lines.decision, '')}".rstrip()
    text = escape(lines.explanation)
    if lines.command:
        text += f" <code>{escape(lines.command)}</code> {escape(lines.purpose)}"
    return f'<div class="{kind}"><strong>{escape(lines.headline)}</strong><p>{text}</p></div>'


def _list(sentences: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>" if items else ""


def _results(study: FinishedStudy) -> str:
    return _table(result_rows(study), strong=row_name(study.summary, BEST)) + _remark(study)


def _remark(study: FinishedStudy) -> str:
    lines = [MEANS, FLATTERED] if LOGGED_ORDER in study.summary.baselines else [MEANS]
    if not study.importances:
        lines.append("Too few complete trials to tell which parameters decided.")
    return "".join(f'<p class="soft">{escape(line)}</p>' for line in lines)


def _table(rows: Rows, *, strong: str = "") -> str:
    if not rows:
        return ""
    head, *body = rows
    lines = "".join(
        f"<tr{' class=best' if row[0] == strong else ''}>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in body
    )
    titles = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    return (
        f'<div class="scroll"><table><thead><tr>{titles}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _figure(item: NamedFigure) -> str:
    body = plotly.io.to_html(
        item.figure,
        full_html=False,
        include_plotlyjs=False,
        div_id=f"figure-{item.name}",
        default_height=f"{item.figure.layout.height}px",
        config={"responsive": True, "displaylogo": False, "displayModeBar": False},
    )
    return (
        f"<section><h2>{escape(item.title)}</h2>"
        f'<p class="soft">{escape(item.caption)}</p>{body}</section>'
    )


def _sealed(study: FinishedStudy) -> str:
    if study.test is None:
        return ""
    return (
        "<section><h2>The sealed test</h2>"
        '<p class="soft">Gains of the opened trial over means of each user; in brackets what each '
        "rival reaches on the same sessions, and the interval of the gain.</p>"
        f"{_table(sealed_rows(study.test))}</section>"
    )


def _finalists(study: FinishedStudy) -> str:
    if not study.finalists:
        return '<section class="soft">No trial kept the guardrails: there is no finalist.</section>'
    return (
        "<section><h2>Finalists</h2>"
        '<p class="soft">Gain on the tune sessions, over means of each user, with 95 % interval. '
        "These sessions chose the finalists, so the gains are flattered.</p>"
        f"{_table(finalist_rows(study.finalists))}</section>"
    )


def _footer(study: FinishedStudy) -> str:
    summary = study.summary
    return (
        f'<footer class="soft">Data {escape(summary.dataset.fingerprint)}; '
        f"{summary.seconds.total:,.0f} s of trials; study seed {study.config.study.seed}.</footer>"
    )

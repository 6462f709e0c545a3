"""A search for anomalies as a page: the answer, the strangest rows with their reasons, what was tried."""

from collections.abc import Sequence

from modelyard.problem import Problem
from modelyard.report import (
    Fact,
    Facts,
    Findings,
    Page,
    Prose,
    Section,
    Table,
    bar_chart,
    format_number,
    format_percent,
    histogram_chart,
)
from modelyard.unsupervised.anomalies.reasons import in_words
from modelyard.unsupervised.anomalies.records import Anomaly, AnomalyEvaluation, AnomalyFigure, AnomalyRun

__all__ = ["TITLES", "anomaly_page", "anomaly_table", "reasons_in_words"]

TITLES = {
    "pr_auc": "Average precision",
    "roc_auc": "ROC AUC",
    "precision": "Precision at the threshold",
    "recall": "Recall at the threshold",
    "stability": "Named again by other rows",
    "agreement": "Named by the other detectors too",
    "flagged": "Rows called anomalies",
}
_SHOWN = 40
_SHARES = frozenset(("flagged", "precision", "recall"))


def anomaly_page(evaluation: AnomalyEvaluation, run: AnomalyRun, problem: Problem) -> Page:
    """The whole page."""
    return Page(
        f"Evaluation of {problem.name}",
        problem.objective or "What is strange in these rows.",
        (
            _answer(evaluation, run),
            _strangest(evaluation),
            _drivers(run),
            _tried(run),
            Section(
                "What to do next",
                (Findings((*evaluation.findings, *run.findings), "No check found anything to settle."),),
            ),
            _account(evaluation, run),
        ),
        f"Run {run.id}, evaluated {evaluation.created_at:%Y-%m-%d %H:%M} UTC.",
    )


def _answer(evaluation: AnomalyEvaluation, run: AnomalyRun) -> Section:
    facts = Facts(
        tuple(Fact(TITLES[item.name], _value(item), _between(item, evaluation)) for item in evaluation.figures)
    )
    edges, counts = run.scores
    chart = histogram_chart(
        edges, {"training rows": counts}, title="How strange rows are", x_label="score, in usual deviations"
    )
    said = f"A row is called an anomaly from a score of {format_number(run.threshold)} on."
    return Section("The answer", (facts, chart, Prose(said)), evaluation.answer)


def _value(item: AnomalyFigure) -> str:
    return format_percent(item.value, 2) if item.name in _SHARES else format_number(item.value)


def _between(item: AnomalyFigure, evaluation: AnomalyEvaluation) -> str:
    if item.low is None or item.high is None:
        return ""
    low, high = (AnomalyFigure(item.name, end) for end in (item.low, item.high))
    return f"{_value(low)} to {_value(high)} at {evaluation.confidence:.1%} confidence"


def reasons_in_words(anomaly: Anomaly) -> str:
    """The columns that make a row strange, each with what is usual."""
    return in_words(anomaly.reasons)


def anomaly_table(top: Sequence[Anomaly]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Headings and rows of the strangest rows; labels only if there are any."""
    labelled = any(item.label is not None for item in top)
    rows = []
    for item in top:
        label = (("yes" if item.label else "no" if item.label is not None else "–"),) if labelled else ()
        rows.append(
            (item.row, format_number(item.score), format_percent(item.share, 2), *label, reasons_in_words(item))
        )
    return ("row", "score", "stranger than", *(("label",) if labelled else ()), "why"), tuple(rows)


def _where(evaluation: AnomalyEvaluation) -> str:
    """What was measured on, as people say it."""
    return "sealed rows" if evaluation.measured_on == "test" else evaluation.measured_on


def _strangest(evaluation: AnomalyEvaluation) -> Section:
    columns, rows = anomaly_table(evaluation.top[:_SHOWN])
    table = Table(columns, rows, f"Of {_where(evaluation)}; all are in anomalies.csv.", numeric=(1, 2))
    return Section(
        "The strangest rows", (table,), "Each with the columns whose usual value would make it less strange."
    )


def _drivers(run: AnomalyRun) -> Section:
    names, shares = list(run.drivers), [100 * share for share in run.drivers.values()]
    if not names:
        return Section("What makes rows strange", (Prose("No single column does; combinations are rare."),))
    chart = bar_chart(names[:20], shares[:20], title="Columns among the reasons", x_label="% of the strangest rows")
    return Section("What makes rows strange", (chart,))


def _tried(run: AnomalyRun) -> Section:
    names = [name for name in TITLES if any(name in item.figures for item in run.candidates)]
    rows = tuple(
        (
            "★" if item.name == run.winner else "",
            item.name,
            *(format_number(item.figures.get(name)) for name in names),
            format_number(item.seconds),
        )
        for item in run.candidates
    )
    columns = ("", "detector", *(TITLES[name] for name in names), "seconds")
    return Section("Why this detector", (Table(columns, rows, numeric=tuple(range(2, len(columns)))),), run.why)


def _account(evaluation: AnomalyEvaluation, run: AnomalyRun) -> Section:
    known, anomalies = run.labels
    rows = (
        ("data set", run.dataset_id),
        ("split", run.split_id),
        ("measured on", f"{evaluation.rows:,} {_where(evaluation)}"),
        ("openings of the sealed part", str(evaluation.openings)),
        ("labels", f"{known:,} rows, {anomalies:,} anomalies" if known else "none"),
        ("stated share of anomalies", format_percent(run.contamination, 2)),
        ("columns", ", ".join(run.columns)),
        ("left out", "; ".join(f"{name}: {reason}" for name, reason in run.excluded.items()) or "none"),
        ("libraries", ", ".join(f"{name} {version}" for name, version in run.environment.items())),
    )
    return Section("How it was tried", (Table(("what", "value"), rows),))

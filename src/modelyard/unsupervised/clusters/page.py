"""Clusters as a page: the answer, each cluster in words, what was tried."""

from modelyard.problem import Problem
from modelyard.report import (
    Block,
    Fact,
    Facts,
    Findings,
    Page,
    Prose,
    Section,
    Series,
    Table,
    format_number,
    format_percent,
    format_range,
    line_chart,
    scatter_chart,
)
from modelyard.unsupervised.clusters.figures import TITLES
from modelyard.unsupervised.clusters.records import ClusterCandidate, ClusterEvaluation, ClusterRun

__all__ = ["candidate_rows", "cluster_page"]


def cluster_page(evaluation: ClusterEvaluation, run: ClusterRun, problem: Problem) -> Page:
    """The whole page."""
    sections = [_answer(evaluation, run)]
    if run.clusters:
        sections.append(_clusters(evaluation, run))
    sections += [
        _tried(run),
        Section(
            "What to do next", (Findings((*evaluation.findings, *run.findings), "No check found anything to settle."),)
        ),
        _account(evaluation, run),
    ]
    return Page(
        f"Evaluation of {problem.name}",
        problem.objective or "What goes together in these rows.",
        tuple(sections),
        f"Run {run.id}, evaluated {evaluation.created_at:%Y-%m-%d %H:%M} UTC.",
    )


def _answer(evaluation: ClusterEvaluation, run: ClusterRun) -> Section:
    weakest = min((cluster.stability for cluster in run.clusters), default=None)
    facts = Facts(
        (
            Fact("Clusters", str(run.count) if run.count else "none", run.method if run.count else "no clear ones"),
            Fact("Silhouette", format_number(evaluation.silhouette), f"on {evaluation.rows:,} {_where(evaluation)}"),
            Fact("Weakest cluster comes again", format_percent(weakest, 0), "overlap with half of the rows"),
            Fact("Agreement on sealed rows", format_number(evaluation.replication), "adjusted Rand index"),
        )
    )
    names = [f"cluster {number}" if number else "none" for _, _, number in run.picture]
    picture = scatter_chart(
        [x for x, _, _ in run.picture],
        [y for _, y, _ in run.picture],
        title="Rows in the plane of their two widest directions",
        x_label="first direction",
        y_label="second direction",
        groups=names,
    )
    figures = Table(
        ("figure", "value", "interval"),
        tuple(
            (TITLES[item.name], format_number(item.value), format_range(item.low, item.high))
            for item in evaluation.figures
        ),
        f"Intervals of {format_percent(evaluation.confidence)}, over which rows were drawn.",
        numeric=(1, 2),
    )
    blocks = (facts, picture, Prose(run.why), figures) if evaluation.figures else (facts, picture, Prose(run.why))
    return Section("The answer", blocks, evaluation.answer)


def _where(evaluation: ClusterEvaluation) -> str:
    """What was measured on, as people say it."""
    return "sealed rows" if evaluation.measured_on == "test" else evaluation.measured_on


def _clusters(evaluation: ClusterEvaluation, run: ClusterRun) -> Section:
    blocks: list[Block] = [Prose("\n".join(f"- {cluster.sentence}" for cluster in run.clusters))]
    rows = tuple(
        (
            str(cluster.number),
            f"{cluster.rows:,}",
            format_percent(cluster.share),
            format_percent(evaluation.sizes[cluster.number - 1][0]),
            format_percent(cluster.stability, 0),
        )
        for cluster in run.clusters
    )
    columns = ("cluster", "rows", "share in training", f"share in {_where(evaluation)}", "comes again")
    blocks.append(Table(columns, rows, numeric=(1, 2, 3, 4)))
    if run.unassigned:
        blocks.append(Prose(f"{run.unassigned:,} training rows are in no cluster."))
    return Section(
        "The clusters in words", tuple(blocks), "What sets each apart from all other rows, the strongest first."
    )


def candidate_rows(run: ClusterRun) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Headings and rows of the leaderboard."""
    columns = ("", "method", "clusters", "silhouette", "above noise", "stability", "strength", "note")
    return columns, tuple(_row(item, run) for item in run.candidates)


def _row(item: ClusterCandidate, run: ClusterRun) -> tuple[str, ...]:
    won = (item.method, item.count) == (run.method, run.count)
    figures = (item.silhouette, item.excess, item.stability, item.strength)
    return ("★" if won else "", item.method, str(item.count), *(format_number(value) for value in figures), item.reason)


def _tried(run: ClusterRun) -> Section:
    columns, rows = candidate_rows(run)
    lines = []
    for method in dict.fromkeys(item.method for item in run.candidates):
        own = [item for item in run.candidates if item.method == method and item.silhouette is not None]
        if len(own) > 1:
            lines.append(Series(method, [item.count for item in own], [item.silhouette or 0.0 for item in own]))
    blocks: list[Block] = [Table(columns, rows, numeric=(2, 3, 4, 5, 6))]
    if lines:
        chart = line_chart(lines, title="Silhouette by number of clusters", x_label="clusters", y_label="silhouette")
        blocks.append(chart)
    lead = (
        f"A candidate counts if its silhouette is more than {format_number(run.bar)} deviations above that of noise of the same "
        "shape, half of the rows give the same clusters (stability), one half predicts the other (strength), and each cluster "
        "comes again."
    )
    return Section("What was tried", tuple(blocks), lead)


def _account(evaluation: ClusterEvaluation, run: ClusterRun) -> Section:
    rows = (
        ("data set", run.dataset_id),
        ("split", run.split_id),
        ("measured on", f"{evaluation.rows:,} {_where(evaluation)}"),
        ("openings of the sealed part", str(evaluation.openings)),
        ("columns", ", ".join(run.columns)),
        ("left out", "; ".join(f"{name}: {reason}" for name, reason in run.excluded.items()) or "none"),
        ("libraries", ", ".join(f"{name} {version}" for name, version in run.environment.items())),
    )
    return Section("How it was tried", (Table(("what", "value"), rows),))

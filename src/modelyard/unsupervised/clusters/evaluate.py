"""Whether the clusters hold on rows that nobody has looked at."""

from modelyard.core import Actor, Clock, Finding, Severity, system_clock
from modelyard.data import Split
from modelyard.problem import Problem, broken_bounds, broken_findings, held_guardrails
from modelyard.report import format_number
from modelyard.store import Workspace
from modelyard.unsupervised.archive import open_fitted
from modelyard.unsupervised.clusters.figures import cluster_figures
from modelyard.unsupervised.clusters.fitted import FittedClusters
from modelyard.unsupervised.clusters.methods import NOWHERE, Labels
from modelyard.unsupervised.clusters.records import ClusterEvaluation, ClusterRun
from modelyard.unsupervised.clusters.stability import adjusted_rand, silhouette

__all__ = ["evaluate_clusters"]

_HOLDS = 0.6
_MOVED = 0.15
_CURE = "Bring other columns or rows"


def evaluate_clusters(
    run: ClusterRun,
    split: Split,
    problem: Problem,
    workspace: Workspace,
    *,
    actor: Actor,
    reason: str | None,
    clock: Clock = system_clock,
) -> ClusterEvaluation:
    """Measure the clusters; on the sealed rows, if a reason is given.

    There, rows are assigned to the known clusters and clustered anew by the same method; how far both agree is the
    replication (the adjusted Rand index; Breckenridge, 1989).
    """
    fitted: FittedClusters = open_fitted(run.id, workspace)
    frame = split.train.frame if reason is None else split.test.open(reason, actor)
    points = fitted.place(frame)
    labels = fitted.assign(points)
    seed = problem.training.seed
    measured = silhouette(points, labels, seed) if run.count else None
    anew = None
    if reason is not None and fitted.method is not None:
        anew = fitted.method.fit(points, seed).labels
    replication = None if anew is None else adjusted_rand(labels, anew)
    confidence = 1 - 0.05 / max(1, split.test.openings())
    figures = cluster_figures(points, labels, anew, confidence=confidence, seed=seed) if run.count else ()
    sizes = _sizes(labels, run)
    held = held_guardrails(problem, {"silhouette": measured})
    now = clock()
    return ClusterEvaluation(
        run_id=run.id,
        answer=_answer(run, frame.height, replication, is_test=reason is not None),
        measured_on="training rows" if reason is None else "test",
        rows=frame.height,
        silhouette=measured,
        replication=replication,
        sizes=sizes,
        openings=split.test.openings(),
        guardrails=broken_bounds(held),
        findings=(*broken_findings(held, of="an answer", cure=_CURE), *_findings(run, replication, sizes)),
        created_at=now,
        opened_at=None if reason is None else now,
        figures=figures,
        confidence=confidence,
    )


def _sizes(labels: Labels, run: ClusterRun) -> tuple[tuple[float, float], ...]:
    """Share of rows in each cluster, here and in training; the last for no cluster."""
    here = [float((labels == label).mean()) for label in (*range(run.count), NOWHERE)]
    there = [*(cluster.share for cluster in run.clusters), run.unassigned / run.rows]
    return tuple(zip(here, there, strict=True))


def _answer(run: ClusterRun, rows: int, replication: float | None, *, is_test: bool) -> str:
    if run.count == 0:
        return f"There are no clear clusters in {run.rows:,} rows: what looks like groups is found in noise as well."
    weakest = min(cluster.stability for cluster in run.clusters)
    found = f"{run.count} clusters by {run.method}"
    if not is_test or replication is None:
        return (
            f"{found} in {run.rows:,} rows; the weakest comes again from half of them with an overlap of {weakest:.0%}."
        )
    word = "hold" if replication >= _HOLDS else "do not hold"
    said = f"grouping them anew agrees with an adjusted Rand index of {format_number(replication)}"
    return f"{found} {word} on {rows:,} sealed rows: {said}."


def _findings(
    run: ClusterRun, replication: float | None, sizes: tuple[tuple[float, float], ...]
) -> tuple[Finding, ...]:
    found = []
    if replication is not None and replication < _HOLDS:
        found.append(
            Finding(
                "clusters-do-not-hold",
                Severity.WARNING,
                run.method,
                f"Sealed rows grouped anew agree with the clusters by an adjusted Rand index of {format_number(replication)} only.",
                "What was found in the training rows is not found in others.",
                "Use the clusters as a description of those rows, not as a rule for new ones.",
                {"replication": replication},
                "E6",
            )
        )
    moved = [number for number, (here, there) in enumerate(sizes, start=1) if abs(here - there) > _MOVED]
    if moved:
        names = ", ".join(str(number) if number <= run.count else "none" for number in moved)
        found.append(
            Finding(
                "cluster-sizes-moved",
                Severity.WARNING,
                names,
                f"Clusters {names} have another share of the rows here than in training.",
                "The rows are not like those that were grouped.",
                "Look at what differs between the rows; group anew if it stays.",
                {"sizes": [list(pair) for pair in sizes]},
                "E9",
            )
        )
    weak = [cluster for cluster in run.clusters if cluster.stability < 0.75]
    found += [
        Finding(
            "cluster-unsteady",
            Severity.INFO,
            f"cluster {cluster.number}",
            f"Cluster {cluster.number} comes again from half of the rows with an overlap of {cluster.stability:.0%}.",
            "From 75 % on a cluster is valid, below 60 % it is not to be trusted (Hennig, 2007).",
            "Rely on it less than on the others.",
            {"stability": cluster.stability},
            "E6",
        )
        for cluster in weak
    ]
    return tuple(found)

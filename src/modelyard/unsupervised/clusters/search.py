"""The search: whether there are clusters at all, how many, and by which method.

A candidate (a method with a number of clusters) counts if it passes four tests: its silhouette is further above that of
noise of the same shape than the luckiest candidate's on noise in one search of twenty; grouping half of the rows gives
nearly the same groups; every cluster comes again; the groups are not merely the values of one column. Of those the best silhouette wins, or a simpler one that is as
good within the noise. If none passes, the answer is that there are no clear clusters.
"""

import dataclasses
import math
import platform
import warnings
from collections.abc import Mapping

import numpy as np

from modelyard.core import (
    Clock,
    Progress,
    ProgressEvent,
    derive_seed,
    digest_json,
    installed_versions,
    silent,
    system_clock,
)
from modelyard.data import Split
from modelyard.features.encoder import TableEncoder
from modelyard.features.exact.memberships import turned
from modelyard.problem import Problem
from modelyard.report import format_number
from modelyard.store import Workspace
from modelyard.unsupervised.archive import is_kept, keep_run, open_run
from modelyard.unsupervised.clusters.describe import describe
from modelyard.unsupervised.clusters.fitted import FittedClusters
from modelyard.unsupervised.clusters.methods import NOWHERE, Grouping, Labels, Method, methods_for
from modelyard.unsupervised.clusters.records import ClusterCandidate, ClusterRun
from modelyard.unsupervised.clusters.stability import (
    adjusted_rand,
    noise_like,
    prediction_strength,
    silhouette,
    stability_of,
)
from modelyard.unsupervised.rows import Array, check_rows, encode_points, used_columns

__all__ = ["NO_CLUSTERS", "search_clusters"]

NO_CLUSTERS = "none"
_MOST_ROWS = 4_000
_MOST_FEATURES = 20
_KEPT_VARIANCE = 0.9
_NOISES = 20
_NOISE_ROWS = 500
_FEW_VALUES = 10
_STABLE = 0.75
_TRUSTED = 0.6
_STRONG = 0.8
_AS_GOOD = 0.02
_LEAST_ASSIGNED = 0.5
_DRAWN = 800
_SAME, _KNOWN = 0.9, 0.5
_RULES = 2
_LIBRARIES = ("numpy", "polars", "scikit-learn")


@dataclasses.dataclass(frozen=True)
class _Tried:
    method: Method
    grouping: Grouping
    candidate: ClusterCandidate
    overlaps: Mapping[int, float]


def search_clusters(
    split: Split,
    problem: Problem,
    workspace: Workspace,
    *,
    resume: bool = True,
    progress: Progress = silent,
    clock: Clock = system_clock,
) -> ClusterRun:
    """Try the methods of the plan, decide whether there are clusters, and put them into words.

    Raises
    ------
    DataError
        If no column can be used, or all rows are alike.
    """
    id_ = _run_id(split, problem)
    if resume and is_kept(id_, workspace):
        return open_run(ClusterRun, id_, workspace)
    frame, seed = split.train.frame, problem.training.seed
    columns, excluded = used_columns(problem, split.train.schema)
    points = encode_points(frame, problem, columns)
    matrix, directions = _few_features(points.matrix)
    rows = _drawn(len(matrix), _MOST_ROWS, derive_seed(seed, "cluster-rows"))
    sources = _discrete(points.encoder, points.matrix) if directions is None else {}
    tried, bar = _try_all(matrix[rows], sources, problem, progress)
    winner, why = _choose(tried, bar)
    order = _by_size(winner.grouping.labels) if winner is not None else {}
    fitted = FittedClusters(
        points.encoder,
        columns,
        directions,
        None if winner is None else winner.grouping,
        order,
        None if winner is None else winner.method,
    )
    labels = fitted.assign(matrix)
    overlaps = {} if winner is None else {order[label]: value for label, value in winner.overlaps.items()}
    record = ClusterRun(
        id=id_,
        dataset_id=split.record.dataset_id,
        split_id=split.record.id,
        columns=tuple(column.name for column in columns),
        excluded=excluded,
        method=NO_CLUSTERS if winner is None else winner.method.name,
        count=len(order),
        why=why,
        bar=bar,
        candidates=tuple(item.candidate for item in tried),
        clusters=describe(frame, columns, labels, overlaps) if winner is not None else (),
        unassigned=int((labels == NOWHERE).sum()) if winner is not None else frame.height,
        picture=_picture(matrix, labels, seed),
        rows=frame.height,
        findings=check_rows(frame, columns),
        environment={"python": platform.python_version(), **installed_versions(_LIBRARIES)},
        created_at=clock(),
    )
    keep_run(id_, record, fitted, workspace)
    return open_run(ClusterRun, id_, workspace)


def _run_id(split: Split, problem: Problem) -> str:
    plan = problem.clustering.model_dump(mode="json")
    data = problem.data.model_dump(mode="json", include={"target", "id", "time", "group", "exclude", "types"})
    question = {"split": split.record.id, "plan": plan, "data": data, "seed": problem.training.seed, "rules": _RULES}
    return digest_json(question | {"libraries": list(installed_versions(_LIBRARIES).values())})[:12]


def _few_features(matrix: Array) -> tuple[Array, Array | None]:
    """Many features are turned into the main directions that keep nine tenths of the variance, twenty at most."""
    if matrix.shape[1] <= _MOST_FEATURES:
        return matrix, None
    _, sizes, directions = np.linalg.svd(matrix - matrix.mean(axis=0), full_matrices=False)
    kept = np.cumsum(sizes**2) / (sizes**2).sum()
    count = min(int(np.searchsorted(kept, _KEPT_VARIANCE)) + 1, _MOST_FEATURES)
    kept_directions = directions[:count].T
    return turned(matrix, kept_directions), kept_directions


def _discrete(encoder: TableEncoder, matrix: Array) -> dict[str, tuple[int, ...]]:
    """The features of each column that has few values, by column."""
    by_source: dict[tuple[str, ...], list[int]] = {}
    start = 0
    for source, encoding in zip(encoder.sources(), encoder.encodings_, strict=True):
        width = len(encoding.names())
        by_source.setdefault(source, []).extend(range(start, start + width))
        start += width
    return {
        " and ".join(source): tuple(features)
        for source, features in by_source.items()
        if features and max(len(np.unique(matrix[:, feature])) for feature in features) <= _FEW_VALUES
    }


def _drawn(rows: int, most: int, seed: int) -> Labels:
    if rows <= most:
        return np.arange(rows, dtype=np.int64)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False)).astype(np.int64)


def _try_all(
    matrix: Array, sources: Mapping[str, tuple[int, ...]], problem: Problem, progress: Progress
) -> tuple[list[_Tried], float]:
    plan, seed = problem.clustering, problem.training.seed
    methods = methods_for(plan.methods, plan.most)
    noise, bar = _noise(matrix, tuple(sources.values()), methods, seed)
    tried = []
    for position, method in enumerate(methods, start=1):
        item = _try(method, matrix, noise.get(position - 1), bar, problem)
        if not item.candidate.reason and (column := _repeated(item, matrix, sources, seed)):
            reason = f"it only repeats the column {column}"
            item = dataclasses.replace(item, candidate=dataclasses.replace(item.candidate, reason=reason))
        tried.append(item)
        said = tried[-1].candidate.reason or "passes"
        progress(ProgressEvent("training", position, len(methods), f"{method.name} {method.count or ''}: {said}"))
    return tried, bar


def _noise(
    matrix: Array, sources: tuple[tuple[int, ...], ...], methods: tuple[Method, ...], seed: int
) -> tuple[dict[int, tuple[float, float]], float]:
    """Mean and deviation of each candidate's silhouette on noise, and the excess that the luckiest reaches on noise.

    Half of the noise is uniform, half is one normal heap; the harder of the two counts for each candidate.
    """
    rows = _drawn(len(matrix), _NOISE_ROWS, derive_seed(seed, "noise-rows"))
    found = {kind: np.zeros((_NOISES // 2, len(methods))) for kind in ("uniform", "normal")}
    for kind, values in found.items():
        for draw in range(len(values)):
            noise = noise_like(matrix[rows], sources, kind, derive_seed(seed, f"{kind}-{draw}"))
            for place, method in enumerate(methods):
                values[draw, place] = silhouette(noise, _labels(method, noise, seed), seed) or 0.0
    scales = {}
    for place in range(len(methods)):
        harder = max(found.values(), key=lambda values: values[:, place].mean())[:, place]
        scales[place] = float(harder.mean()), max(float(harder.std(ddof=1)), 0.01)
    luckiest = [
        max((values[draw, place] - scales[place][0]) / scales[place][1] for place in range(len(methods)))
        for values in found.values()
        for draw in range(len(values))
    ]
    return scales, float(max(luckiest))


def _labels(method: Method, matrix: Array, seed: int) -> Labels:
    return _fit(method, matrix, seed).labels


def _fit(method: Method, matrix: Array, seed: int) -> Grouping:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mixture that has not converged shows in its figures
        return method.fit(matrix, seed)


def _try(method: Method, matrix: Array, noise: tuple[float, float] | None, bar: float, problem: Problem) -> _Tried:
    seed = problem.training.seed
    grouping = _fit(method, matrix, seed)
    labels = grouping.labels
    count = len(set(labels.tolist()) - {NOWHERE})
    assigned = float((labels != NOWHERE).mean())
    found = silhouette(matrix, labels, seed)
    excess = None if found is None or noise is None else (found - noise[0]) / noise[1]
    candidate = ClusterCandidate(method.name, count, method.complexity, found, None, None, excess, assigned)
    if found is None or excess is None or excess <= bar or assigned < _LEAST_ASSIGNED:
        return _Tried(method, grouping, dataclasses.replace(candidate, reason=_no_clusters(candidate)), {})
    rands, overlaps = stability_of(method, matrix, labels, problem.clustering.repeats, seed)
    strength = prediction_strength(method, matrix, seed)
    candidate = dataclasses.replace(candidate, stability=float(np.mean(rands)), strength=strength)
    return _Tried(method, grouping, dataclasses.replace(candidate, reason=_unstable(candidate, overlaps)), overlaps)


def _repeated(item: _Tried, matrix: Array, sources: Mapping[str, tuple[int, ...]], seed: int) -> str:
    """The column whose values are the clusters, if the other columns know nothing of them; else ``""``."""
    labels = item.grouping.labels
    for column, features in sources.items():
        values = np.unique(matrix[:, features], axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
        others = [feature for feature in range(matrix.shape[1]) if feature not in features]
        if adjusted_rand(labels, values) < _SAME:
            continue
        if not others or adjusted_rand(labels, _labels(item.method, matrix[:, others], seed)) < _KNOWN:
            return column
    return ""


def _no_clusters(candidate: ClusterCandidate) -> str:
    if candidate.silhouette is None:
        return "it finds fewer than two clusters"
    if candidate.assigned < _LEAST_ASSIGNED:
        return f"only {candidate.assigned:.0%} of the rows are in clusters"
    return "noise of the same shape has as much"


def _unstable(candidate: ClusterCandidate, overlaps: Mapping[int, float]) -> str:
    if (candidate.stability or 0.0) < _STABLE:
        return "half of the rows give other clusters"
    if min(overlaps.values()) < _TRUSTED:
        return "one of its clusters does not come again"
    if candidate.method != "hdbscan" and (candidate.strength or 0.0) < _STRONG:
        return "one half of the rows does not predict the other"
    return ""


def _choose(tried: list[_Tried], bar: float) -> tuple[_Tried | None, str]:
    """The best silhouette of those that pass, or a simpler one that is as good; None if none passes."""
    passing = [item for item in tried if not item.candidate.reason]
    if not passing:
        best = max(tried, key=lambda item: item.candidate.excess if item.candidate.excess is not None else -math.inf)
        said = f"the best of {len(tried)}, {_name(best)}, is ruled out, since {best.candidate.reason}"
        return None, f"There are no clear clusters: {said}."
    best = max(passing, key=_silhouette)
    simplest = min(
        (item for item in passing if _silhouette(item) >= _silhouette(best) - _AS_GOOD),
        key=lambda item: (item.candidate.complexity, item.candidate.count),
    )
    chosen = simplest.candidate
    text = (
        f"{_name(simplest)} wins with silhouette {format_number(chosen.silhouette)}, {format_number(chosen.excess)} deviations above "
        f"noise of the same shape (noise alone reaches {format_number(bar)} in one search of twenty); half of the rows give the "
        f"same clusters (adjusted Rand index {format_number(chosen.stability)})"
    )
    if simplest is not best:
        return simplest, f"{text}. {_name(best)} is ahead by less than {_AS_GOOD}, so the simpler one is taken."
    return simplest, f"{text}; it is the best of {len(passing)} that pass."


def _silhouette(item: _Tried) -> float:
    return item.candidate.silhouette if item.candidate.silhouette is not None else -math.inf


def _name(item: _Tried) -> str:
    return f"{item.candidate.method} with {item.candidate.count} clusters"


def _by_size(labels: Labels) -> dict[int, int]:
    """A new label for each cluster: 0 for the largest."""
    found, counts = np.unique(labels[labels != NOWHERE], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {int(found[old]): new for new, old in enumerate(order)}


def _picture(matrix: Array, labels: Labels, seed: int) -> tuple[tuple[float, float, int], ...]:
    """Some rows in the plane of the two widest directions."""
    centred = matrix - matrix.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    plane = centred @ directions[:2].T
    if plane.shape[1] == 1:
        plane = np.column_stack([plane, np.zeros(len(plane))])
    rows = _drawn(len(matrix), _DRAWN, derive_seed(seed, "cluster-picture"))
    return tuple((round(float(plane[row, 0]), 4), round(float(plane[row, 1]), 4), int(labels[row]) + 1) for row in rows)

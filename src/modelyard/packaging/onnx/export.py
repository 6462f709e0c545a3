"""Writing a package as one ONNX file, once it has shown that it answers as the package does."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from modelyard.core import GateRefusedError, StateError, write_atomic
from modelyard.packaging.golden import as_requests
from modelyard.packaging.onnx.columns import encoded, input_kinds
from modelyard.packaging.onnx.graph import Graph, require_onnx
from modelyard.packaging.onnx.parity import measure_parity
from modelyard.packaging.onnx.predictors import predicted
from modelyard.packaging.onnx.records import MISSING, OnnxExport, OnnxParity
from modelyard.packaging.package import Package
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.scorer import Scorer
from modelyard.problem import Task

__all__ = ["converted", "export_onnx"]

_FORMAT = "1"
"""Version of what the file's metadata say."""

_DEFAULT_THRESHOLD = 0.5

Outputs: TypeAlias = dict[str, tuple[str, bool, int | None]]


def export_onnx(
    package: Package, destination: Path, held: pl.DataFrame | None = None, *, force: bool = False
) -> OnnxExport:
    """Write the package as one ONNX file, from columns to scores and labels.

    All arithmetic is in double precision, trees included; what the model itself does in single precision is done so.
    The file is run with ONNX Runtime before it is written, on the golden rows and on ``held``.

    Parameters
    ----------
    package
        What is exported.
    destination
        The file; one that is there is replaced.
    held
        Further rows to compare on, such as those of the validation part, with the columns of the contract.
    force
        Write it even if it differs by more than the package allows; the file's metadata and the record say so.

    Raises
    ------
    StateError
        If a column or the model has no exact form in ONNX.
    GateRefusedError
        If answers or decisions differ, and nobody insists; nothing is written then.
    MissingExtraError
        If ``onnx`` or ``onnxruntime`` is not installed.
    """
    require_onnx()
    scorer = Scorer.load(package)
    kinds = input_kinds(scorer.plan.encodings)
    graph, outputs = converted(scorer.plan, package.model_files())
    requests = [row.features for row in scorer.golden.rows]
    draft = graph.model(outputs, {}).SerializeToString()
    golden = measure_parity(draft, scorer, kinds, requests)
    rows = [] if held is None else as_requests(held.select(column.name for column in scorer.contract.columns))
    seen = measure_parity(draft, scorer, kinds, rows) if rows else None
    exact = golden.ok and (seen is None or seen.ok)
    if not exact and not force:
        raise _differs(golden, seen)
    content = graph.model(outputs, _metadata(scorer, kinds, golden, seen)).SerializeToString()
    write_atomic(destination, content)
    digest = package.manifest.digest
    return OnnxExport(str(destination), len(content), digest, kinds, golden, seen, forced=not exact)


def converted(plan: ScoringPlan, files: Mapping[str, bytes]) -> tuple[Graph, Outputs]:
    """The graph of a plan and its predictor's files, and what it gives; nothing is proved yet.

    Raises
    ------
    StateError
        If a column or the model has no exact form in ONNX.
    """
    if plan.own:
        raise StateError(
            "features of one's own are Python, which ONNX cannot run",
            where="features.py",
            got=", ".join(own.name for own in plan.own),
            cure="Serve the package itself, or train without them",
        )
    input_kinds(plan.encodings)
    graph = Graph()
    return graph, _outputs(graph, plan, files)


def _outputs(graph: Graph, plan: ScoringPlan, files: Mapping[str, bytes]) -> Outputs:
    """``score`` and, for classes, ``label``."""
    scores = predicted(graph, encoded(graph, plan.encodings), plan.predictor, files)
    if plan.task is Task.MULTICLASS:
        scores = _spread(graph, plan, scores)
        best = graph.add("ArgMax", scores, axis=1, keepdims=0)
        labels = graph.add("Gather", graph.constant(list(plan.classes)), best, axis=0)
        return {"score": (scores, False, len(plan.classes)), "label": (labels, True, None)}
    score = graph.add("Reshape", scores, graph.constant([-1]))
    if plan.task is Task.REGRESSION:
        return {"score": (score, False, None)}
    threshold = _DEFAULT_THRESHOLD if plan.threshold is None else plan.threshold
    positive = graph.add("GreaterOrEqual", score, graph.constant(float(threshold)))
    place = graph.to_whole(positive)
    labels = graph.add("Gather", graph.constant(list(plan.classes)), place, axis=0)
    return {"score": (score, False, None), "label": (labels, True, None)}


def _spread(graph: Graph, plan: ScoringPlan, scores: str) -> str:
    """One column for each class; classes that training did not meet score 0."""
    if plan.outputs == 1:
        scores = graph.add("Concat", graph.add("Sub", graph.constant(1.0), scores), scores, axis=1)
    if not plan.present:
        return scores
    places = [[float(place == known) for place in range(len(plan.classes))] for known in plan.present]
    return graph.add("MatMul", scores, graph.constant(places))


def _metadata(scorer: Scorer, kinds: Mapping[str, str], golden: OnnxParity, held: OnnxParity | None) -> dict[str, str]:
    """What a reader of the file alone must know."""
    said: dict[str, Any] = {
        "format": _FORMAT,
        "name": scorer.name,
        "version": scorer.version,
        "package": scorer.digest,
        "task": scorer.task.value,
        "classes": list(scorer.classes),
        "threshold": scorer.threshold,
        "inputs": dict(kinds),
        "missing": {"text": MISSING, "others": "NaN"},
        "parity": {"golden": golden.to_dict(), "held": held.to_dict() if held else None},
    }
    return {
        f"modelyard.{name}": value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in said.items()
    }


def _differs(golden: OnnxParity, held: OnnxParity | None) -> GateRefusedError:
    found: Sequence[tuple[str, OnnxParity]] = [("golden", golden)] + ([("validation", held)] if held else [])
    said = "; ".join(
        f"{parity.max_abs_difference:.1e} at most and {parity.decisions_differ} other decisions on {parity.rows} {name} rows"
        for name, parity in found
    )
    return GateRefusedError(
        "the ONNX file does not answer as the package does, so nothing was written",
        where=f"{golden.tolerance:g} and no decision are allowed",
        got=said,
        cure="Serve the package itself; --force writes the file all the same, and it says so of itself",
    )

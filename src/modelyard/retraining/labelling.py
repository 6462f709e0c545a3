"""Labels for rows that have none: export what is worth it, read what people said, and make a table to retrain on."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Actor, DataError, Record, StateError, write_atomic
from modelyard.data import (
    load_version,
    read_table,
    store_version,
    version_records,
    with_history,
)
from modelyard.data.labelling import (
    Annotations,
    LabelRule,
    Verdict,
    read_annotations,
    rows_to_label,
    settle,
    stored_annotations,
)
from modelyard.governance import Registry, require_permission
from modelyard.packaging import Scorer
from modelyard.problem import Problem, Task
from modelyard.store import Workspace

__all__ = ["LabelExport", "LabelledTable", "apply_labels", "export_rows", "import_labels", "label_verdict"]

_RANDOM_ONLY = "no model of classes is in production, so all rows are drawn by chance"


@dataclasses.dataclass(frozen=True)
class LabelExport(Record):
    """What was handed out.

    Parameters
    ----------
    path
        The CSV file: ``row``, ``why``, the table's columns, and ``label`` to be filled in.
    dataset_id
        The version of the table that the rows come from.
    random, uncertain
        Rows drawn by chance, and rows of which the model knows least.
    model
        Version that was asked; None if there was none.
    note
        Why no model was asked; else empty.
    """

    path: str
    dataset_id: str
    random: int
    uncertain: int
    model: int | None
    note: str


@dataclasses.dataclass(frozen=True)
class LabelledTable(Record):
    """What came of the labels: a table with the target, its version, the version it comes from, and the verdict."""

    path: str
    dataset_id: str
    parents: tuple[str, ...]
    rows: int
    verdict: Verdict


def export_rows(
    workspace: Workspace,
    problem: Problem,
    actor: Actor,
    source: Path | str,
    out: Path,
    *,
    count: int,
    random_share: float,
) -> LabelExport:
    """Write rows of a table that are worth a label, and keep the table as a version.

    Rows that have a target already are left out.

    Raises
    ------
    DataError
        If the table cannot be read, or no row is without a label.
    ConfigError
        If the count or the share cannot be meant.
    NotPermittedError
        If the actor may not label.
    """
    require_permission(actor, "label")
    target = problem.data.target
    table = read_table(source)
    table = table.filter(pl.col(target).is_null()).drop(target) if target in table.columns else table
    if table.height == 0:
        raise DataError("every row has a label already", where=str(source), cure="Give a table of rows without labels")
    version = store_version(table, str(source), workspace, notes=("rows without labels",))
    registry, scores = Registry(workspace), None
    production = registry.production(problem.name)
    if production is not None:
        scorer = Scorer.load(registry.package(production))
        scores = _scores(scorer, with_history(table, problem, workspace.root))
    chosen = rows_to_label(table.height, count, random_share=random_share, seed=problem.training.seed, scores=scores)
    names = pl.format(f"{version.id}-{{}}", pl.col("position")).alias("row")
    picked = chosen.select(names, "why").hstack(table[chosen["position"]])
    write_atomic(out, picked.with_columns(pl.lit(None, dtype=pl.String).alias("label")).write_csv().encode())
    uncertain = int((chosen["why"] == "uncertain").sum())
    asked = production.version if production is not None and scores is not None else None
    note = "" if asked is not None else _RANDOM_ONLY
    result = LabelExport(str(out), version.id, chosen.height - uncertain, uncertain, asked, note)
    workspace.ledger.append(actor, "labels.exported", version.id, result.to_dict())
    return result


def _scores(scorer: Scorer, table: pl.DataFrame) -> npt.NDArray[np.float64] | None:
    """Probabilities; None of a model of numbers, which does not say how sure it is."""
    if scorer.task is Task.REGRESSION:
        return None
    return scorer.score_frame(scorer.contract.conformed(table))


def import_labels(workspace: Workspace, actor: Actor, source: Path | str, annotator: str) -> Annotations:
    """Keep a file of labels with who gave them; what it says of each row is in the record, that it came in the ledger.

    Raises
    ------
    DataError
        If the file cannot be read as labels, or names rows that were never exported.
    NotPermittedError
        If the actor may not label.
    """
    require_permission(actor, "label")
    record = read_annotations(source, annotator, workspace, known=_known_rows(workspace))
    details = {"annotator": record.annotator, "labels": len(record.labels), "digest": record.digest}
    workspace.ledger.append(actor, "labels.imported", record.id, details)
    return record


def _known_rows(workspace: Workspace) -> Callable[[str], bool]:
    """Whether a row is one of a version that is stored here."""
    rows = {record.id: record.rows for record in version_records(workspace)}

    def known(row: str) -> bool:
        version, _, position = row.rpartition("-")
        return position.isdecimal() and int(position) < rows.get(version, 0)

    return known


def label_verdict(workspace: Workspace, rule: LabelRule) -> Verdict:
    """What all imported labels say together.

    Raises
    ------
    StateError
        If there are none.
    """
    annotations = stored_annotations(workspace)
    if not annotations:
        raise StateError(
            "there are no labels yet", where="labels", cure="Run: modelyard label import FILE --annotator NAME"
        )
    return settle(annotations, rule)


def apply_labels(workspace: Workspace, problem: Problem, actor: Actor, out: Path, rule: LabelRule) -> LabelledTable:
    """Write the labelled rows as a table with the target, and keep it as a version that names its parents.

    Raises
    ------
    StateError
        If there are no labels, or none holds.
    NotPermittedError
        If the actor may not label.
    """
    require_permission(actor, "label")
    verdict = label_verdict(workspace, rule)
    if not verdict.labels:
        raise StateError(
            "no label holds by this rule",
            where="labels",
            got=f"{len(verdict.disputes)} disputes, {verdict.too_few} rows with too few labels",
            cure="Have the disputes looked at again, or relax the rule",
        )
    rows = pl.DataFrame({"row": list(verdict.labels), problem.data.target: list(verdict.labels.values())}).with_columns(
        pl.col("row").str.extract(r"^(.*)-\d+$", 1).alias("version"),
        pl.col("row").str.extract(r"-(\d+)$", 1).cast(pl.Int64).alias("position"),
    )
    parents = tuple(sorted(rows["version"].unique().to_list()))
    parts = []
    for parent in parents:
        mine = rows.filter(pl.col("version") == parent).sort("position")
        parts.append(load_version(parent, workspace).frame[mine["position"]].with_columns(mine[problem.data.target]))
    table = pl.concat(parts, how="diagonal_relaxed")
    write_atomic(out, table.write_csv().encode())
    notes = tuple(f"labels of rows of version {parent}" for parent in parents)
    version = store_version(read_table(out), str(out), workspace, notes=(*notes, f"rule: {rule.to_dict()}"))
    result = LabelledTable(str(out), version.id, parents, table.height, verdict)
    details = {
        "parents": list(parents),
        "rows": table.height,
        "rule": rule.to_dict(),
        "disputes": len(verdict.disputes),
    }
    workspace.ledger.append(actor, "labels.applied", version.id, {**details, "left_out": dict(verdict.left_out)})
    return result

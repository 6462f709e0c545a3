"""A split whose readable rows follow the corrections in force; its sealed part is the one that was sealed before."""

import dataclasses

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Actor, StateError, digest_json
from modelyard.data.corrections.book import corrections_in_force, lines_of
from modelyard.data.corrections.records import Correction, CorrectionLine
from modelyard.data.corrections.rows import Changes, find_rows
from modelyard.data.schema import Schema, category_text
from modelyard.data.splits import Split, load_split
from modelyard.data.splits.split import divided_rows, refuse_one_class
from modelyard.data.splits.stored import is_stored, store_parts
from modelyard.data.splits.strategies import Part
from modelyard.data.version import load_version, store_version, version_record
from modelyard.problem import Problem
from modelyard.store import Workspace

__all__ = ["corrected_split"]

_MADE = "split.corrected"
_ID_LENGTH = 12

Rows = npt.NDArray[np.int64]


def corrected_split(base: Split, problem: Problem, workspace: Workspace, actor: Actor) -> Split:
    """The split with every correction in force applied to its training and validation rows.

    Rows were divided before anybody corrected anything, so a new label moves no row from one part to another. The
    sealed part is the same object, and its openings go on being counted. The corrected table is a data set version of
    its own that names its parent. The split itself, if no correction changes a row of it.

    Parameters
    ----------
    base
        As :func:`~modelyard.data.make_split` gives it, without corrections.
    problem
        Resolved.

    Raises
    ------
    IntegrityError
        If a stored correction is not what was recorded.
    DataError
        If the corrections leave one class only in the training part.
    """
    force = corrections_in_force(workspace)
    if not force:
        return base
    id_ = digest_json({"base": base.record.id, "corrections": [item.id for item in force]})[:_ID_LENGTH]
    if not is_stored(id_, workspace) and not _store(id_, base, force, problem, workspace):
        return base
    split = load_split(id_, workspace)
    if workspace.ledger.count(_MADE, id_) == 0:
        details = {
            "base": base.record.id,
            "dataset": split.record.dataset_id,
            "corrections": list(split.record.corrections),
            "rows": {"train": split.record.train_rows, "validation": split.record.validation_rows},
        }
        workspace.ledger.append(actor, _MADE, id_, details)
    return split


@dataclasses.dataclass
class _Table:
    """The readable parts and the whole table on their way through the corrections."""

    parts: dict[Part, pl.DataFrame]
    whole: pl.DataFrame
    places: dict[Part, Rows]
    dropped: list[int] = dataclasses.field(default_factory=list)
    effective: list[str] = dataclasses.field(default_factory=list)

    def correct(self, correction: Correction, lines: tuple[CorrectionLine, ...], key: str | None) -> None:
        """Apply one correction; each line to one row at most, training rows first."""
        left = list(lines)
        changed = False
        for part, frame in self.parts.items():
            found = find_rows(frame, left, key)
            done = {id(change.line) for change in found}
            left = [line for line in left if id(line) not in done]
            real = Changes([change for change in found if change.line.verdict != "confirmed"])
            changed |= bool(real.changes)
            kept = real.kept(frame.height)
            self.whole = real.applied_to(self.whole, self.places[part])
            self.parts[part] = real.applied_to(frame).filter(pl.Series(kept))
            self.dropped += self.places[part][~kept].tolist()
            self.places[part] = self.places[part][kept]
        if changed:
            self.effective.append(correction.id)


def _store(id_: str, base: Split, force: tuple[Correction, ...], problem: Problem, workspace: Workspace) -> bool:
    """Apply the corrections and keep the result; False if they change nothing."""
    table = _opened(base, problem, workspace)
    for correction in force:
        table.correct(correction, lines_of(correction, workspace), problem.data.id)
    if not table.effective:
        return False
    train, validation = table.parts[Part.TRAIN], table.parts[Part.VALIDATION]
    refuse_one_class(train[problem.data.target], problem, base.record.strategy)
    said = "; ".join(item.summary.partition(";")[0] for item in force if item.id in table.effective)
    record = dataclasses.replace(
        base.record,
        id=id_,
        dataset_id=_version(table, base, said, workspace),
        reason=f"{base.record.reason} Then corrected: {said}.",
        train_rows=train.height,
        validation_rows=validation.height,
        base=base.record.id,
        corrections=tuple(table.effective),
    )
    store_parts(record, train, validation, _schema(base.train.schema, train), workspace)
    return True


def _opened(base: Split, problem: Problem, workspace: Workspace) -> _Table:
    """The parts, the whole table, and where in it each readable row lies."""
    dataset = load_version(base.record.dataset_id, workspace)
    codes = divided_rows(dataset, problem, workspace)
    readable = {Part.TRAIN: base.train.frame, Part.VALIDATION: base.validation.frame}
    places = {part: np.flatnonzero(codes == part) for part in readable}
    for part, frame in readable.items():
        target = category_text(dataset.frame[problem.data.target][places[part]]).cast(pl.String)
        if not target.equals(category_text(frame[problem.data.target]).cast(pl.String), check_names=False):
            raise StateError(
                "the stored split is not the one that the project file makes of its data",
                where=f"split {base.record.id}",
                cure="Run `modelyard check`, then correct again",
            )
    return _Table(readable, dataset.frame, places)


def _version(table: _Table, base: Split, said: str, workspace: Workspace) -> str:
    """The corrected table as a version whose parent is the table as it came."""
    kept = np.ones(table.whole.height, dtype=bool)
    kept[table.dropped] = False
    parent = version_record(base.record.dataset_id, workspace)
    note = f"corrected from version {parent.id}: {said}"
    frame = table.whole.filter(pl.Series(kept))
    return store_version(frame, parent.source, workspace, notes=(*parent.notes, note), parent=parent.id).id


def _schema(schema: Schema, train: pl.DataFrame) -> Schema:
    """The schema, with gaps where corrections made some."""
    return Schema(
        tuple(
            dataclasses.replace(column, nullable=column.nullable or train[column.name].null_count() > 0)
            for column in schema.columns
        )
    )

"""The way back from one prediction: what was answered, by which bytes, learnt from what, approved by whom."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from modelyard.core import ModelyardError, StateError
from modelyard.governance import ModelVersion
from modelyard.oversight.erasure import ERASED
from modelyard.oversight.lineage.ancestry import lineage_of
from modelyard.oversight.lineage.books import Books
from modelyard.oversight.lineage.reading import read_steps
from modelyard.oversight.lineage.records import LoggedAnswer, PredictionTrace
from modelyard.packaging import Scorer
from modelyard.packaging.golden import as_requests
from modelyard.problem import Problem, Task
from modelyard.serving.prediction_log import (
    LogKind,
    LogPolicy,
    Privacy,
    agreed_policy,
    find_records,
    log_key,
    read_feedback,
    read_predictions,
)
from modelyard.serving.roles import SHADOW, STABLE
from modelyard.store import Workspace

__all__ = ["trace_prediction"]

_PREFIX = "feature."
_SAME = 1e-9
_MOST_REASONS = 8


def trace_prediction(books: Books, id_: str) -> PredictionTrace:
    """Follow a prediction of the log, or of its copy in a database, back to its data.

    Raises
    ------
    StateError
        If the log has no such prediction: because it was erased, is older than the log is kept, or was never made.
    IntegrityError
        If a record on the way is damaged; changed bytes of the package are told, not raised.
    """
    records, label = _found(books, id_)
    told = [_answer(row) for row in records.iter_rows(named=True)]
    answer = next((item for item in told if item.role != SHADOW), told[0])
    version = next((item for item in books.versions if item.digest == answer.digest), None)
    reproduced, reasons, unexplained = _again(books, version, answer)
    return PredictionTrace(
        id=id_,
        answer=answer,
        shadows=tuple(item for item in told if item is not answer),
        label=label,
        reproduced=reproduced,
        reasons=reasons,
        unexplained=unexplained,
        lineage=lineage_of(books, read_steps(books), version) if version else None,
        unregistered="" if version else f"the registry has no version with the digest {answer.digest[:12]}",
    )


def _found(books: Books, id_: str) -> tuple[pl.DataFrame, str | None]:
    """The records of an id, from the folder or else from its copy, and its label."""
    workspace = books.workspace
    folder = workspace.folder("predictions")
    records = find_records(folder, LogKind.PREDICTIONS, id_)
    labels = find_records(folder, LogKind.FEEDBACK, id_)
    address = None if records is not None else agreed_policy(books.problem, workspace).sink
    if address is not None:
        copied = [read_predictions(address, shadows=shadows) for shadows in (False, True)]
        records = pl.concat(copied, how="diagonal_relaxed").filter(pl.col("id") == id_)
        labels = read_feedback(address).filter(pl.col("id") == id_)
    if records is None or records.is_empty():
        raise _missing(books, id_)
    return records, str(labels["label"][-1]) if labels is not None and labels.height else None


def _missing(books: Books, id_: str) -> StateError:
    """Why there is no record, as far as the ledger knows."""
    erased = _erasure(books, id_)
    if erased is not None:
        what, got = "the prediction was erased", f"row {erased.sequence} of the ledger, {erased.at:%Y-%m-%d}"
        cure = "What is left is in that row; nothing here names the subject"
        return StateError(what, where="trace", got=got, cure=cure)
    retired = [row.details["before"] for row in books.rows if row.action == "log.retired"]
    made = _made_at(id_)
    if made is not None and any(made < dt.datetime.fromisoformat(str(before)) for before in retired):
        what = "the prediction is older than the log is kept"
        return StateError(
            what, where=id_, got=f"{made:%Y-%m-%d}", cure="log.keep_days says how long; look into a backup"
        )
    cure = "Give the id of an answer of this project's server; rows that `modelyard score` wrote have none"
    return StateError("the log has no such prediction", where="trace", got=repr(id_), cure=cure)


def _erasure(books: Books, id_: str) -> Any:
    """The row of the ledger that tells of an id's erasure; None if none does."""
    rows = [row for row in books.rows if row.action == ERASED]
    key = log_key(books.workspace)
    if not rows or not key.exists():
        return None
    code = Privacy(LogPolicy(personal={"id": "hash"}, key=key), ["id"]).code(id_)
    return next((row for row in rows if code in (*row.details.get("ids", ()), row.subject)), None)


def _made_at(id_: str) -> dt.datetime | None:
    """The moment that a UUID of version 7 begins with."""
    try:
        found = uuid.UUID(id_)
    except ValueError:
        return None
    return dt.datetime.fromtimestamp((found.int >> 80) / 1000, tz=dt.UTC) if found.version == 7 else None


def _answer(row: Mapping[str, Any]) -> LoggedAnswer:
    features = {name.removeprefix(_PREFIX): value for name, value in row.items() if name.startswith(_PREFIX)}
    (plain,) = as_requests(pl.DataFrame([features])) if features else ({},)
    return LoggedAnswer(
        at=row["at"],
        role=row["role"] or STABLE,
        version=row["version"],
        digest=row["digest"] or "",
        score=row["score"],
        answer=row["label"],
        probabilities=tuple(row["probabilities"] or ()),
        flags=tuple(row["flags"] or ()),
        features=plain,
    )


def _again(
    books: Books, version: ModelVersion | None, answer: LoggedAnswer
) -> tuple[bool | None, tuple[tuple[str, float], ...], str]:
    """Whether the package gives the same score now, the reasons for it, and why neither can be told."""
    if version is None:
        return None, (), "the package is not known here"
    try:
        scorer = Scorer.load(books.registry.package(version))
        hidden = _hidden(scorer, answer, books.problem, books.workspace)
        if hidden:
            return None, (), f"the log does not hold {', '.join(hidden)} as it came, so the row cannot be scored again"
        (found,) = scorer.score_rows([answer.features]).reshape(1, -1)
        same = _is_same(scorer.form, found, answer)
        (reasons,) = scorer.explainer.explain([answer.features])
    except ModelyardError as error:
        return None, (), error.sentence
    told = tuple((item.column, item.amount) for item in reasons.contributions[:_MOST_REASONS])
    return same, told, ""


def _hidden(scorer: Scorer, answer: LoggedAnswer, problem: Problem, workspace: Workspace) -> list[str]:
    """Columns of the model that the log holds as codes, or not at all."""
    personal = agreed_policy(problem, workspace).personal
    names = [column.name for column in scorer.contract.columns]
    return [name for name in names if name in personal or name not in answer.features]


def _is_same(task: Task, found: Any, answer: LoggedAnswer) -> bool:
    """Whether a new score is the logged one."""
    logged = answer.probabilities if task is Task.MULTICLASS else (answer.score,)
    if None in logged or len(logged) != len(found):
        return False
    return bool(np.allclose(np.asarray(logged, dtype=np.float64), found, rtol=_SAME, atol=_SAME))

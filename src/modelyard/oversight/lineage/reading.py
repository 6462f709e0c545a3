"""Steps as the books tell them: each row of the ledger that stands for work, and the records that work left without a row."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from modelyard.core import digest_json
from modelyard.oversight.lineage.books import Books
from modelyard.oversight.lineage.steps import PARTS, Kind, Step, Thing
from modelyard.problem.address import without_password
from modelyard.retraining.records import Decision, Outcome
from modelyard.store import LedgerRow
from modelyard.training.records import TrainingRun

__all__ = ["TOLD", "read_steps"]

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:modelyard:lineage")

_Things = tuple[Thing, ...]


def read_steps(books: Books) -> tuple[Step, ...]:
    """Every step of the model's life, in the order in which they ended.

    Raises
    ------
    IntegrityError
        If a record is damaged.
    """
    found = [*_collected(books), *_told(books), *_rolled_out(books), *_untold(books)]
    return tuple(sorted(found, key=lambda step: (step.ended or step.begun, step.row, step.id)))


def _told(books: Books) -> Iterator[Step]:
    """A step for each row of the ledger that stands for one."""
    for row in books.rows:
        tell = TOLD.get(row.action)
        if tell is not None:
            yield tell(books, row)


def _step(row: LedgerRow, job: str, inputs: _Things, outputs: _Things, **more: Any) -> Step:
    """What a row tells. Its hash names it: no other row, here or in another project, has the same."""
    told = {"begun": row.at, "ended": row.at, "id": _id_of(row.hash), **more}
    return Step(job=job, actor=row.actor, inputs=inputs, outputs=outputs, row=row.sequence, row_hash=row.hash, **told)


def _id_of(name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, name))


def _collected(books: Books) -> Iterator[Step]:
    """How each data version came to be: read from a source, corrected, or made larger by a retraining."""
    grown = {str(row.details["dataset"]): row for row in books.rows if row.action == "split.extended"}
    for record in books.data.values():
        base = books.split(str(grown[record.id].details["base"])) if record.id in grown else None
        parent = base.record.dataset_id if base is not None else record.parent
        source = Thing(Kind.DATA, parent) if parent else Thing(Kind.SOURCE, without_password(record.source))
        id_ = _id_of(digest_json([record.digest, record.created_at.isoformat()]))
        moment = record.created_at
        yield Step(id_, "collect", "", moment, moment, (source,), (Thing(Kind.DATA, record.id),))


def _split(_: Books, row: LedgerRow) -> Step:
    parts = tuple(Thing(part, row.subject) for part in PARTS)
    base = row.details.get("base")
    before = (Thing(Kind.TRAINING_ROWS, str(base)), Thing(Kind.VALIDATION_ROWS, str(base))) if base else ()
    return _step(row, "split", (Thing(Kind.DATA, str(row.details["dataset"])), *before), parts)


def _trained(books: Books, row: LedgerRow) -> Step:
    record = books.run(row.subject)
    split = row.details.get("split") or (record.split_id if record else None)
    began = _began(books, record) if record else row.at
    note = f"winner {row.details['winner']}" if "winner" in row.details else ""
    return _step(row, "train", _learnt_from(split), (Thing(Kind.RUN, row.subject),), begun=began, note=note)


def _began(books: Books, record: TrainingRun) -> dt.datetime:
    """When training began to look at its rows: its seconds count the audit and the split of the same command as well."""
    divided = [row.at for row in books.rows if row.subject == record.split_id and row.action.startswith("split.")]
    began = record.created_at - dt.timedelta(seconds=record.seconds or 0.0)
    return min(max(began, *divided), record.created_at) if divided else began


def _learnt_from(split: Any) -> _Things:
    """The winner is refitted on training and validation rows together."""
    return (Thing(Kind.TRAINING_ROWS, str(split)), Thing(Kind.VALIDATION_ROWS, str(split))) if split else ()


def _evaluated(books: Books, row: LedgerRow) -> Step:
    run = books.run(row.subject)
    opened = bool(row.details.get("test_opened"))
    parts = (Kind.VALIDATION_ROWS, *((Kind.TEST_ROWS,) if opened else ())) if run else ()
    looked_at = tuple(Thing(part, run.split_id) for part in parts if run)
    note = "the sealed test part was opened" if opened else ""
    inputs = (Thing(Kind.RUN, row.subject), *looked_at)
    return _step(row, "evaluate", inputs, (Thing(Kind.EVALUATION, row.subject),), note=note)


def _packaged(_: Books, row: LedgerRow) -> Step:
    run = str(row.details["run"])
    return _step(row, "package", _of_run(run), (Thing(Kind.PACKAGE, row.subject),))


def _of_run(run: str) -> _Things:
    return (Thing(Kind.RUN, run), Thing(Kind.EVALUATION, run))


def _registered(_: Books, row: LedgerRow) -> Step:
    return _step(row, "register", (Thing(Kind.PACKAGE, str(row.details["digest"])),), _version(row))


def _version(row: LedgerRow) -> _Things:
    return (Thing(Kind.VERSION, row.subject),)


def _judged(job: str) -> Callable[[Books, LedgerRow], Step]:
    def tell(_: Books, row: LedgerRow) -> Step:
        return _step(row, job, _version(row), (), note=str(row.details.get("reason", "")))

    return tell


def _refused(_: Books, row: LedgerRow) -> Step:
    failed = [
        f"{gate['gate']} wants {gate['wanted']}, got {gate['got']}"
        for gate in row.details["gates"]
        if not gate["passed"]
    ]
    said = f"gates of tier {row.details['tier']} said no: {'; '.join(failed)}"
    return _step(row, str(row.details["step"]), _version(row), (), failed=said)


def _released(job: str) -> Callable[[Books, LedgerRow], Step]:
    def tell(books: Books, row: LedgerRow) -> Step:
        outputs = (Thing(Kind.ENDPOINT, books.problem.name),)
        return _step(row, job, _version(row), outputs, note=str(row.details.get("reason", "")))

    return tell


def _shipped(_: Books, row: LedgerRow) -> Step:
    place = Thing(Kind.SHIPMENT, without_password(str(row.details["place"])))
    return _step(row, "ship", _version(row), (place,), note=str(row.details["form"]))


def _served(books: Books, row: LedgerRow) -> Step:
    return _step(row, "serve", _version(row), (Thing(Kind.PREDICTIONS, books.problem.name),), ended=None)


def _scored(_: Books, row: LedgerRow) -> Step:
    told = row.details
    inputs = (Thing(Kind.SOURCE, without_password(str(told["source"]))), *_scorer(row))
    began = row.at - dt.timedelta(seconds=float(told["seconds"]))
    note = f"{told['scored']:,} of {told['rows']:,} rows"
    return _step(row, "score", inputs, (Thing(Kind.SCORES, str(told["destination"])),), begun=began, note=note)


def _scorer(row: LedgerRow) -> _Things:
    """A version, or a run that nobody has approved."""
    return (Thing(Kind.VERSION if "/" in row.subject else Kind.RUN, row.subject),)


def _monitored(books: Books, row: LedgerRow) -> Step:
    inputs = (*_version(row), Thing(Kind.PREDICTIONS, books.problem.name))
    report, told = str(row.details["report"]), row.details
    return _step(
        row, "monitor", inputs, (Thing(Kind.REPORT, report),), note=f"{told['verdict']}; cause: {told['cause']}"
    )


def _reviewed(books: Books, row: LedgerRow) -> Step:
    inputs = (*_version(row), Thing(Kind.PREDICTIONS, books.problem.name))
    return _step(row, "review", inputs, (Thing(Kind.REPORT, str(row.details["review"])),))


def _retrained(books: Books, row: LedgerRow) -> Step:
    decision = books.decisions.get(row.subject)
    inputs, outputs = _challenged(books, decision) if decision else ((), ())
    if "source" in row.details:
        inputs = (*inputs, Thing(Kind.SOURCE, without_password(str(row.details["source"]))))
    record = books.run(decision.run_id) if decision and decision.run_id else None
    began = _began(books, record) if record else row.at
    stopped = row.details["outcome"] == Outcome.STOPPED.value
    failed = str(row.details["reason"]) if stopped else ""
    note = str(row.details["reason"])
    return _step(row, "retrain", inputs, outputs, begun=began, failed=failed, note=note)


def _challenged(books: Books, decision: Decision) -> tuple[_Things, _Things]:
    """The champion, and what came of it: a run, a version."""
    name = books.problem.name
    version = decision.challenger_version
    run = (Thing(Kind.RUN, decision.run_id),) if decision.run_id else ()
    made = (Thing(Kind.VERSION, f"{name}/{version}"),) if version is not None else ()
    return (Thing(Kind.VERSION, f"{name}/{decision.champion_version}"),), (*run, *made)


def _rolled_out(books: Books) -> Iterator[Step]:
    """One step for each rollout: from its beginning to its end, if it has come to one."""
    rows: dict[str, list[LedgerRow]] = {}
    for row in books.rows:
        if row.action.startswith("rollout.") and "rollout" in row.details:
            rows.setdefault(str(row.details["rollout"]), []).append(row)
    for id_, told in rows.items():
        first, last = told[0], told[-1]
        over = last.action in ("rollout.stable", "rollout.aborted")
        why = str(last.details.get("why", ""))
        failed = (why or "aborted") if last.action == "rollout.aborted" else ""
        outputs = (Thing(Kind.ENDPOINT, books.problem.name),) if last.action == "rollout.stable" else ()
        more = {"id": id_, "ended": last.at if over else None, "failed": failed, "note": why}
        yield _step(first, "deploy", _version(first), outputs, **more)


def _untold(books: Books) -> Iterator[Step]:
    """What a retraining did without a row of its own: its training, and the package of its challenger."""
    rows = {row.subject: row for row in books.rows if row.action == "model.retrained"}
    packaged = {row.subject for row in books.rows if row.action == "package.built"}
    digests = {version.version: version.digest for version in books.versions}
    for decision in books.decisions.values():
        row = rows.get(decision.id)
        record = books.run(decision.run_id) if decision.run_id else None
        if row is None or record is None:
            continue
        parent = _id_of(row.hash)
        began = _began(books, record)
        done = (Thing(Kind.RUN, record.id),)
        learnt = _learnt_from(record.split_id)
        yield Step(record.id, "train", row.actor, began, record.created_at, learnt, done, parent=parent)
        manifest = books.manifest(digests.get(decision.challenger_version or 0, ""))
        if manifest is not None and manifest.digest not in packaged:
            id_, moment, built = _id_of(manifest.digest), manifest.created_at, (Thing(Kind.PACKAGE, manifest.digest),)
            looked_at = (*done, Thing(Kind.VALIDATION_ROWS, record.split_id), Thing(Kind.TEST_ROWS, record.split_id))
            measured = (Thing(Kind.EVALUATION, record.id),)
            evaluated = _id_of(f"{manifest.digest}:evaluation")
            yield Step(evaluated, "evaluate", row.actor, moment, moment, looked_at, measured, parent=parent)
            yield Step(id_, "package", row.actor, moment, moment, _of_run(record.id), built, parent=parent)


TOLD: Mapping[str, Callable[[Books, LedgerRow], Step]] = {
    "split.made": _split,
    "split.extended": _split,
    "split.corrected": _split,
    "run.finished": _trained,
    "run.evaluated": _evaluated,
    "package.built": _packaged,
    "version.registered": _registered,
    "version.validated": _judged("validate"),
    "version.approved": _judged("approve"),
    "version.approved_again": _judged("approve"),
    "version.rejected": _judged("reject"),
    "gates.refused": _refused,
    "version.promoted": _released("promote"),
    "version.rolled_back": _released("rollback"),
    "version.shipped": _shipped,
    "serving.started": _served,
    "serving.swapped": _served,
    "table.scored": _scored,
    "model.monitored": _monitored,
    "model.reviewed": _reviewed,
    "model.retrained": _retrained,
}
"""Actions of the ledger to the step that a row of it stands for; rollouts have several rows each, and all others stand for none."""

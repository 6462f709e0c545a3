"""A batch from its beginning, or from where it was broken off, to its end."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import polars as pl

from modelyard.core import DataError, Progress, ProgressEvent, StateError, silent
from modelyard.packaging import Scorer
from modelyard.problem.address import is_url
from modelyard.serving.batch.engine import Job, Piece, ScoringEngine
from modelyard.serving.batch.files import FileTarget
from modelyard.serving.batch.journal import Ground, Part, totals
from modelyard.serving.batch.records import BatchReport, BatchSettings
from modelyard.serving.batch.scoring import ScoredPiece
from modelyard.serving.batch.sources import Rows, open_rows
from modelyard.version import __version__

__all__ = ["Target", "score_file"]

Prepare = Callable[[pl.DataFrame], pl.DataFrame]


class Target(Protocol):
    """Where scores go: parts are kept as they come, and the whole appears in the end."""

    form: str
    quarantine: str

    @property
    def name(self) -> str:
        """Where the result is, in words."""
        ...

    def opened(self) -> contextlib.AbstractContextManager[Path]:
        """Keep others away for the block; gives a folder in which the source's rows may wait."""
        ...

    def begin(self, ground: Ground, *, resume: bool) -> tuple[list[Part], str]:
        """The parts that are done on this ground, in order, and in what other half-done work differs from it."""
        ...

    def write(self, part: Part, piece: ScoredPiece) -> None:
        """Keep a part, all of it or nothing; it counts when this returns."""
        ...

    def publish(self, *, has_quarantine: bool) -> None:
        """Let the whole appear."""
        ...

    def forget(self) -> None:
        """The parts count for nothing."""
        ...


def score_file(
    scorer: Scorer,
    source: Path | str,
    destination: Path | str,
    *,
    query: str | None = None,
    progress: Progress = silent,
    prepare: Prepare | None = None,
    settings: BatchSettings | None = None,
) -> BatchReport:
    """Score every row of a table with the package's scorer.

    The result has the columns of the source and ``prediction_score``, ``prediction_label``, ``prediction_flags`` (text; null
    if nothing was flagged), and for more than two classes ``prediction_probability.<class>``. Rows that break the
    contract are left out and written to ``<destination>.quarantine.parquet`` with ``row`` (from 0), ``reasons`` and the
    row itself as JSON. Both appear whole or not at all; existing ones are replaced.

    The table is scored part by part. If the process is killed, the same call goes on after the last part that was done,
    as long as source, package, joined tables and settings are the same; otherwise it begins anew, and the report says
    why. The result is the same, byte for byte, however often the work was broken off.

    A table without rows gives a result without rows, with all its columns: a night in which nothing happened is no
    fault. Columns that are missing from it are one all the same.

    Parameters
    ----------
    source
        A path or an address, as for :func:`~modelyard.data.read_source`.
    destination
        ``.parquet``, ``.csv`` or ``.jsonl``; or a table of a database: ``sqlite:///shop.db#scores``.
    query
        What is asked of a database.
    prepare
        Adds the columns that the source lacks, such as features from event tables, to each part. If it has an attribute
        ``digest``, that says whether it is still the same.
    settings
        How; see :class:`BatchSettings`.

    Raises
    ------
    StateError
        If the package cannot say how sure it is, and is asked to.
    DataError
        If the source cannot be read, lacks a column that training always had, or the destination has another suffix.
    LockedError
        If another process scores to the same destination.
    ModelyardError
        If the result cannot be written; what was there before is unchanged.
    """
    started = time.perf_counter()
    settings = settings or BatchSettings()
    source = source if isinstance(source, str) and is_url(source) else Path(source)
    _require_uncertainty(scorer, settings)
    target = _target(destination, source)
    with target.opened() as scratch:
        rows = open_rows(source, query, scratch)
        ground = _ground(scorer, (str(source), query, rows.digest), target.form, prepare, settings)
        batch = _Batch(target, rows, *target.begin(ground, resume=settings.resume))
        resumed = totals(batch.done)["rows"]
        pieces = batch.pieces(settings.chunk_rows, prepare)
        try:
            batch.work(Job(scorer, settings.package, settings.uncertainty), pieces, settings.engine, progress)
        except DataError:  # of the source; what it was will not come back
            target.forget()
            raise
    counts = totals(batch.done)
    return BatchReport(
        source=str(source),
        destination=target.name,
        quarantine=target.quarantine if counts["quarantined"] else None,
        seconds=round(time.perf_counter() - started, 3),
        model=scorer.name,
        version=scorer.version,
        digest=scorer.digest,
        resumed=resumed,
        notes=(*rows.notes, *batch.notes),
        **counts,
    )


class _Batch:
    """What is done of a batch, and what is still to come."""

    def __init__(self, target: Target, rows: Rows, done: list[Part], differs: str) -> None:
        self._target = target
        self._rows = rows
        self.done = done
        self.notes = (f"half-done work was not continued, since it had other grounds: {differs}",) if differs else ()

    def pieces(self, size: int, prepare: Prepare | None) -> Iterator[Piece]:
        """The pieces after those that are done; a source without rows has one all the same."""
        first = totals(self.done)["rows"]
        if self.done and first >= self._rows.height:
            return
        for rows in self._rows.pieces(first, size):
            yield Piece(first, prepare(rows) if prepare else rows)
            first += len(rows)

    def work(self, job: Job, pieces: Iterator[Piece], engine: ScoringEngine, progress: Progress) -> None:
        """Score and keep what is still to come, and publish if all parts are of the same rows."""
        with contextlib.closing(engine.score(job, pieces)) as scored:
            for piece in scored:
                self._keep(piece)
                progress(self.event)
        self._rows.require_unchanged()
        self._target.publish(has_quarantine=totals(self.done)["quarantined"] > 0)

    def _keep(self, piece: ScoredPiece) -> None:
        good, bad = len(piece.good), len(piece.bad)
        part = Part(len(self.done), good + bad, good, bad, piece.flagged)
        self._target.write(part, piece)
        self.done.append(part)

    @property
    def event(self) -> ProgressEvent:
        """How far it is."""
        counts = totals(self.done)
        return ProgressEvent("score", counts["rows"], self._rows.height, f"{counts['scored']:,} scored")


def _target(destination: Path | str, source: Path | str) -> Target:
    """A file, or a table of a database."""
    if isinstance(destination, str) and is_url(destination):
        from modelyard.serving.batch.tables import TableTarget

        return TableTarget(destination)
    return FileTarget(Path(destination), source)


def _ground(
    scorer: Scorer, source: tuple[str, str | None, str], form: str, prepare: Prepare | None, settings: BatchSettings
) -> Ground:
    location, query, rows = source
    return Ground(
        source=location,
        query=query,
        rows=rows,
        package=scorer.digest or scorer.version,
        history=str(getattr(prepare, "digest", "")),
        chunk_rows=settings.chunk_rows,
        uncertainty=settings.uncertainty,
        form=form,
        modelyard=__version__,
    )


def _require_uncertainty(scorer: Scorer, settings: BatchSettings) -> None:
    if settings.uncertainty and scorer.conformal is None:
        raise StateError(
            "this package does not say how sure it is",
            where=f"{scorer.name} {scorer.version}",
            cure="Set evaluation.coverage or evaluation.quantiles in the project file, evaluate and package again",
        )

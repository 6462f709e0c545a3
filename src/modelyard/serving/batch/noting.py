"""Scoring for a project: whoever has a table scored, the ledger knows of it, so that lineage does."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.core import Actor, Progress, silent
from modelyard.packaging import Scorer
from modelyard.problem.address import without_password
from modelyard.serving.batch.records import BatchReport, BatchSettings
from modelyard.serving.batch.run import score_file

if TYPE_CHECKING:
    from modelyard.problem import Problem
    from modelyard.store import Workspace

__all__ = ["SCORED", "BatchWork", "score_and_note"]

SCORED = "table.scored"


@dataclasses.dataclass(frozen=True)
class BatchWork:
    """A table to score: where it is, what is asked of a database, where the scores go, and how."""

    source: Path | str
    destination: Path | str
    query: str | None = None
    settings: BatchSettings = dataclasses.field(default_factory=BatchSettings)


def score_and_note(
    scorer: Scorer,
    work: BatchWork,
    problem: "Problem",
    workspace: "Workspace",
    actor: Actor,
    *,
    progress: Progress = silent,
) -> BatchReport:
    """Score a table, with the features of the past that the project declares, and note it in the ledger.

    The row is about the version; or about the run, for a scorer that is in no package.

    Raises
    ------
    ModelyardError
        As :func:`score_file` raises; nothing is noted then.
    """
    from modelyard.data import history_joiner

    report = score_file(
        scorer,
        work.source,
        work.destination,
        query=work.query,
        progress=progress,
        prepare=history_joiner(problem, workspace.root, work.source, query=work.query),
        settings=work.settings,
    )
    subject = f"{report.model}/{report.version}" if scorer.digest else scorer.manifest.run_id
    workspace.ledger.append(actor, SCORED, subject, {**report.to_dict(), "source": without_password(report.source)})
    return report

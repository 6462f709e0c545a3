"""What a batch is told, and what it reports."""

import dataclasses
from pathlib import Path

from modelyard.core import ConfigError, Record
from modelyard.serving.batch.engine import LocalScoring, ScoringEngine

__all__ = ["BatchReport", "BatchSettings"]

_CHUNK_ROWS = 50_000


@dataclasses.dataclass(frozen=True)
class BatchSettings:
    """How a batch is scored.

    Parameters
    ----------
    chunk_rows
        Rows of a part: they are read, scored and written together, and a batch that was killed goes on at a part.
    uncertainty
        Say how sure each prediction is: ``prediction_low`` and ``prediction_high`` (values), or ``prediction_set``, the
        classes that cannot be ruled out as a JSON list; and ``prediction_quantile.<level>`` for each level of the package.
    resume
        Go on with the half-done work of the same source and package, if there is any; otherwise begin anew.
    package
        Folder of the package, for engines whose workers load it themselves.
    engine
        Scores the parts; this process by default.

    Raises
    ------
    ConfigError
        If a part would have no rows.
    """

    chunk_rows: int = _CHUNK_ROWS
    uncertainty: bool = False
    resume: bool = True
    package: Path | None = None
    engine: ScoringEngine = dataclasses.field(default_factory=LocalScoring)

    def __post_init__(self) -> None:
        if self.chunk_rows < 1:
            raise ConfigError(
                "a part must have rows",
                where="BatchSettings.chunk_rows",
                got=str(self.chunk_rows),
                cure="Give a positive number, or leave it out for the default",
            )


@dataclasses.dataclass(frozen=True)
class BatchReport(Record):
    """What one batch did.

    Parameters
    ----------
    source, destination
        The table, as it was named, and where the scores are: a file, or address and table.
    quarantine
        Where the rows are that were not scored; None if all were.
    rows, scored, quarantined, flagged
        Rows read, scored, set aside, and scored although a value is unlike the training data.
    seconds
        Time taken, by the last attempt if there were several.
    model, version, digest
        What scored them.
    resumed
        Rows that an earlier attempt had finished.
    notes
        What the reader decided, and why half-done work was not continued.
    """

    source: str
    destination: str
    quarantine: str | None
    rows: int
    scored: int
    quarantined: int
    flagged: int
    seconds: float
    model: str
    version: str
    digest: str
    resumed: int = 0
    notes: tuple[str, ...] = ()

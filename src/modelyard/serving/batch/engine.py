"""Who scores the parts of a batch: this process, or whatever implements the same protocol."""

import dataclasses
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Protocol

import polars as pl

from modelyard.packaging import Scorer
from modelyard.serving.batch.scoring import ScoredPiece, score_piece

__all__ = ["Job", "LocalScoring", "Piece", "ScoringEngine"]


@dataclasses.dataclass(frozen=True)
class Piece:
    """Rows that are scored together.

    Parameters
    ----------
    first
        Number of the first row in the source, from 0.
    rows
        With all columns that the model needs.
    """

    first: int
    rows: pl.DataFrame


@dataclasses.dataclass(frozen=True)
class Job:
    """What is the same for all pieces.

    Parameters
    ----------
    scorer
        Scores.
    package
        Folder that the scorer was loaded from; None if it has none.
    uncertainty
        Whether each prediction says how sure it is.
    """

    scorer: Scorer
    package: Path | None
    uncertainty: bool


class ScoringEngine(Protocol):
    """Scores pieces, wherever; the same pieces give the same results, bit for bit, in the same order."""

    def score(self, job: Job, pieces: Iterable[Piece]) -> Generator[ScoredPiece]:
        """One result a piece, in the order of the pieces; they are drawn as they are needed, never all at once.

        Raises
        ------
        DataError
            If a column is missing that the model needs.
        """
        ...


class LocalScoring:
    """Scores in this process, one piece after the other."""

    def score(self, job: Job, pieces: Iterable[Piece]) -> Generator[ScoredPiece]:
        """See :class:`ScoringEngine`."""
        for piece in pieces:
            yield score_piece(job.scorer, piece.rows, piece.first, uncertainty=job.uncertainty)

"""Batch scoring: a table in, scores out, each row exactly once, however often the work is broken off.

Takes: a scorer, a table in files, folders, objects or a database, and where the scores go.
Gives: the scores as a file or a table that appears whole, bad rows set aside with their reasons, and a report.
Never: holds a large table in memory, scores a row twice, or goes on with half-done work of another source or package.
"""

from modelyard.serving.batch.engine import Job, LocalScoring, Piece, ScoringEngine
from modelyard.serving.batch.noting import BatchWork, score_and_note
from modelyard.serving.batch.records import BatchReport, BatchSettings
from modelyard.serving.batch.run import score_file
from modelyard.serving.batch.scoring import ScoredPiece, score_piece

__all__ = [
    "BatchReport",
    "BatchSettings",
    "BatchWork",
    "Job",
    "LocalScoring",
    "Piece",
    "ScoredPiece",
    "ScoringEngine",
    "score_and_note",
    "score_file",
    "score_piece",
]

"""Ray as an engine of batch scoring: parts on the cores of this machine, or of a cluster."""

import collections
import functools
import socket
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

from modelyard.adapters.ray_link import RayLink, library_versions, unlike_driver
from modelyard.core import ModelyardError, StateError
from modelyard.packaging import Scorer
from modelyard.serving.batch import Job, Piece, ScoredPiece, score_piece

__all__ = ["RayScoring"]

_RETRIES = 3
"""How often a part is scored again whose worker, or whose machine, died."""

_AHEAD = 2
"""Parts a core that are read before their turn; more would only fill the memory."""


class RayScoring:
    """Scores parts in Ray's workers; implements :class:`modelyard.serving.batch.ScoringEngine`.

    This process reads and writes, the workers score. Each of them loads the package itself, so on several machines its
    folder must lie where all of them see it under the same path; its digest is compared before the first part.

    Parameters
    ----------
    workers
        Parts at work at once; by default one per core of the cluster.
    address
        Of a cluster: ``ray://host:10001``, ``host:6379``, or ``auto``. By default the Ray that this process is connected to
        already, else one is started on this machine, and ended by ``close``.
    """

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:
        self._link = RayLink(workers, address)

    def score(self, job: Job, pieces: Iterable[Piece]) -> Generator[ScoredPiece]:
        """One result a piece, in their order.

        Raises
        ------
        MissingExtraError
            If Ray is not installed.
        StateError
            If the scorer is in no package, a worker does not see it or has other versions, or dies again and again.
        DataError
            If a column is missing that the model needs.
        """
        if job.package is None:
            raise StateError(
                "workers of Ray load a package, and this model is in none",
                where=job.scorer.version,
                cure="Run modelyard package, register, approve and promote; or score with --engine local",
            )
        task = self._link.connected().remote(num_cpus=1, max_retries=_RETRIES)(_score_there)
        ground = (job.package.resolve(), job.scorer.digest, tuple(library_versions().items()))
        waiting: collections.deque[Any] = collections.deque()
        for piece in pieces:
            waiting.append(task.remote(ground, piece, job.uncertainty))
            if len(waiting) >= self._link.room() * _AHEAD:
                yield self._result(waiting.popleft())
        while waiting:
            yield self._result(waiting.popleft())

    def close(self) -> None:
        """End Ray, if it was started here."""
        self._link.close()

    def _result(self, reference: Any) -> ScoredPiece:
        from ray.exceptions import RayError

        try:
            found: ScoredPiece | ModelyardError | str = self._link.connected().get(reference)
        except RayError as error:
            raise StateError(
                "a part could not be scored on Ray",
                where="--engine ray",
                got=str(error).strip().partition("\n")[0][:160],
                cure="Run the command again; it goes on after the parts that are done",
            ) from error
        if isinstance(found, ModelyardError):
            raise found
        if isinstance(found, str):
            raise StateError(
                "a worker of the Ray cluster cannot do the work of this machine",
                where="--engine ray",
                got=found,
                cure="Put the project where all machines see it under the same path, with the same versions installed",
            )
        return found


def _score_there(
    ground: tuple[Path, str, tuple[tuple[str, str], ...]], piece: Piece, uncertainty: bool
) -> ScoredPiece | ModelyardError | str:
    """Score in a worker; text says what the worker lacks, and an error is handed back as it is."""
    folder, digest, versions = ground
    unlike = unlike_driver(versions)
    if unlike:
        return unlike
    try:
        scorer = _loaded(folder)
        if scorer.digest != digest:
            return f"{socket.gethostname()} sees another package in {folder}"
        return score_piece(scorer, piece.rows, piece.first, uncertainty=uncertainty)
    except ModelyardError as error:
        return error


@functools.lru_cache(maxsize=2)
def _loaded(folder: Path) -> Scorer:
    """The package, verified and loaded once a worker."""
    return Scorer.load(folder)

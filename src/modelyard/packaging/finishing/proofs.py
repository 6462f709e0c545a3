"""What must hold before a package appears: it answers as training does, and keeps the declared limits."""

from modelyard.core import GateRefusedError
from modelyard.packaging.bench import held_against
from modelyard.packaging.golden import Parity
from modelyard.packaging.latency import Measurement
from modelyard.problem import Problem

__all__ = ["require_limits", "require_parity"]


def require_parity(parity: Parity, on_table: Parity) -> None:
    """Refuse a scorer whose answers differ from training's, row by row or as a table.

    Raises
    ------
    GateRefusedError
        With the difference.
    """
    for what, result in (("golden rows, scored as requests", parity), ("validation rows, scored as a table", on_table)):
        if not result.ok:
            raise GateRefusedError(
                "the packaged scorer does not answer as the training pipeline does, so nothing was published",
                where=f"{result.rows} {what}",
                got=result.in_words,
                cure="Choose another family as winner, and report the case: this should not happen",
            )


def require_limits(problem: Problem, measured: Measurement, size_mb: float) -> None:
    """Refuse a package that exceeds a declared limit; all that are exceeded are named."""
    limits = held_against(problem.constraints.model_dump(), measured, size_mb)
    broken = [limit.in_words for limit in limits if not limit.kept]
    if broken:
        raise GateRefusedError(
            "the package exceeds the declared limits, so nothing was published",
            where="constraints",
            got="; ".join(broken),
            cure="Choose a simpler family under training.families, or change the limits and say why",
        )

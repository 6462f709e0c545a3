"""How long records must be kept, for those who check that they are."""

from typing import Annotated

from pydantic import Field

from modelyard.problem.sections.strict import Strict

__all__ = ["RecordsPlan"]


class RecordsPlan(Strict):
    """Least times for which records are kept; nothing is removed by them."""

    log_days: Annotated[int, Field(ge=1)] = Field(
        default=183,
        description="Days for which logged answers must be kept at least; `records export` says if they are not.",
    )
    document_years: Annotated[int, Field(ge=1)] = Field(
        default=10, description="Years for which cards, decisions and the ledger must be kept."
    )

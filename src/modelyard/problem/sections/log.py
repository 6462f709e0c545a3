"""What becomes of the prediction log: who may read what, for how long, and where a copy goes."""

from typing import Annotated, Literal

from pydantic import Field

from modelyard.problem.sections.strict import Address, Strict

__all__ = ["LogPlan"]


class LogPlan(Strict):
    """The prediction log: personal columns, how long it is kept, a copy in a database, and what a full disk means."""

    personal: dict[str, Literal["hash", "drop"]] = Field(
        default_factory=dict,
        description="Columns of the model that name or describe a person, by name: hash (keyed, the same value gives the "
        "same code) or drop. It happens before anything is written.",
    )
    also: tuple[str, ...] = Field(
        default=(),
        description="Fields of requests that are logged although the model does not know them, such as the row's id: by it "
        "`modelyard skew` finds the row of the source, and `modelyard erase` a person.",
    )
    keep_days: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Days after which predictions and labels are removed, by `modelyard monitor`; null keeps them.",
    )
    sink: Address | None = Field(
        default=None,
        description="Database that gets a copy of every record: postgresql+psycopg://… or sqlite:///…; ${NAME} stands for "
        "an environment variable.",
    )
    backlog_mb: Annotated[int, Field(ge=1)] = Field(
        default=1024,
        description="Megabytes that may wait for a database that is down; beyond it the log counts as full.",
    )
    on_full: Literal["refuse", "answer"] = Field(
        default="refuse",
        description="When the log takes nothing: refuse to answer, or answer without a record, which is counted and said.",
    )

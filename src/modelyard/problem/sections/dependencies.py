"""What a model rests on, and what rests on it: declared by its owner, since nobody else knows."""

from typing import Annotated, Literal

from pydantic import Field

from modelyard.problem.sections.strict import Strict

__all__ = ["Consumer", "Dependencies", "Upstream"]

Name = Annotated[str, Field(min_length=1, max_length=120)]


class Upstream(Strict):
    """Something that columns of the model come from."""

    name: Name = Field(description="What it is called: crm, warehouse.customers, or another project's model.")
    kind: Literal["source", "model"] = Field(
        default="source",
        description="source: a system or table; model: another model, whose answers are a column here.",
    )
    columns: tuple[str, ...] = Field(default=(), description="Columns that come from it; all of them if none is named.")
    owner: str = Field(default="", description="Who answers for it.")
    contact: str = Field(default="", description="How to reach them.")


class Consumer(Strict):
    """Something that uses the model's answers."""

    name: Name = Field(description="What it is called: retention-calls, or another project's model.")
    kind: Literal["endpoint", "report", "team", "process", "model"] = Field(
        default="process", description="endpoint, report, team, process or model."
    )
    purpose: str = Field(default="", description="What it does with the answers.")
    owner: str = Field(default="", description="Who answers for it.")
    contact: str = Field(default="", description="How to reach them.")


class Dependencies(Strict):
    """Both sides of the model."""

    upstream: tuple[Upstream, ...] = Field(
        default=(),
        description="What columns come from: [{name: crm, kind: source, columns: [tenure], owner: R. Keller, contact: …}].",
    )
    consumers: tuple[Consumer, ...] = Field(
        default=(),
        description="What uses the answers: [{name: retention-calls, kind: process, purpose: …, owner: …, contact: …}]; kind is "
        "endpoint, report, team, process or model.",
    )

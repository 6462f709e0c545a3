"""Where the history lies, and who vouches for it."""

from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from modelyard.problem.sections.strict import Strict, refuse_password

__all__ = ["CheckpointPlan", "StorePlan"]


class CheckpointPlan(Strict):
    """Signatures of the ledger's last row, kept outside of the database."""

    to: tuple[str, ...] = Field(
        default=(),
        description="Where signed checkpoints are kept: files (relative to this one, such as one that git tracks) and object "
        "storage (s3://bucket/folder); none by default.",
    )
    rows: Annotated[int, Field(ge=1)] = Field(default=1000, description="Rows after which the next checkpoint is due.")
    hours: Annotated[float, Field(gt=0)] = Field(
        default=1.0, description="Hours after which it is due, if there are new rows."
    )
    key: str | None = Field(
        default=None,
        description="File of the private key; ~/.config/modelyard/signing.pem by default. MODELYARD_SIGNING_KEY wins.",
    )
    trust: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...] = Field(
        default=(),
        description="Public keys whose signatures count, as `modelyard ledger key` shows them; this machine's by default.",
    )

    @field_validator("to")
    @classmethod
    def _hold_no_password(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(refuse_password, addresses))


class StorePlan(Strict):
    """Ledger and registry: in a file of this project, or in a database that several people share."""

    address: Annotated[str, Field(pattern=r"^postgresql(\+psycopg)?://"), AfterValidator(refuse_password)] | None = (
        Field(
            default=None,
            description="Database that holds ledger and registry: postgresql+psycopg://user:${PASSWORD}@host/name, where "
            "${PASSWORD} stands for an environment variable; a file of this project by default. MODELYARD_STORE wins.",
        )
    )
    checkpoints: CheckpointPlan = Field(default=CheckpointPlan(), description="Who vouches for the ledger.")

"""What every section of the project file is: frozen, with known keys alone, and addresses without passwords."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from modelyard.problem.address import holds_password

__all__ = ["Address", "Strict", "refuse_password"]


class Strict(BaseModel):
    """Frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def refuse_password(address: str) -> str:
    """The address, if it holds no password; a variable in its place is none."""
    if holds_password(address):
        raise PydanticCustomError("secret", "an address must not hold a password")
    return address


Address = Annotated[str, AfterValidator(refuse_password)]
"""A path or an address; the project file is shared, so secrets stand in environment variables."""

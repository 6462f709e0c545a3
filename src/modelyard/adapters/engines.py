"""The engines of batch scoring by the names that people give them."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modelyard.core import ConfigError

if TYPE_CHECKING:
    from modelyard.serving.batch import ScoringEngine

__all__ = ["engine_of"]


@contextlib.contextmanager
def engine_of(name: str) -> "Iterator[ScoringEngine]":
    """The engine ``local``, ``ray``, or a Ray cluster by its address; what was started here ends with the block.

    Raises
    ------
    ConfigError
        If there is no engine of that name.
    """
    if name == "ray" or name.startswith("ray://"):
        from modelyard.adapters.ray_scoring import RayScoring

        with contextlib.closing(RayScoring(address=None if name == "ray" else name)) as engine:
            yield engine
        return
    if name != "local":
        spark = name == "spark"
        raise ConfigError(
            "scoring on Spark is not built" if spark else "there is no engine of that name",
            where="--engine",
            got=repr(name),
            cure="Choose local, which scores files larger than memory, or ray, which spreads them over machines",
        )
    from modelyard.serving.batch import LocalScoring

    yield LocalScoring()

"""Several encoders side by side, for models that read rows in different styles."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.data.schema import Column
from modelyard.features import Encoding, EncodingStyle, OwnFeatures
from modelyard.features.encoder import TableEncoder

__all__ = ["EncoderUnion"]


class EncoderUnion:
    """Fitted encoders of the same rows, one a style; their features follow one another.

    It answers as :class:`~modelyard.features.encoder.TableEncoder` does once it is fitted.

    Parameters
    ----------
    encoders
        By style, each fitted on the same columns; one at least.
    """

    selection_ = None
    """Each encoder may have chosen for itself; there is no choice of the whole."""

    def __init__(self, encoders: Mapping[EncodingStyle, TableEncoder]) -> None:
        self._encoders = dict(encoders)

    @property
    def columns_(self) -> tuple[Column, ...]:
        """The columns that were learnt from."""
        return self.first.columns_

    @property
    def own(self) -> OwnFeatures | None:
        """Features of one's own, made before columns are encoded."""
        return self.first.own

    @property
    def encodings_(self) -> tuple[Encoding, ...]:
        """The encodings of all encoders."""
        return tuple(encoding for encoder in self._encoders.values() for encoding in encoder.encodings_)

    @property
    def first(self) -> TableEncoder:
        """Any of the encoders, for what all have in common."""
        return next(iter(self._encoders.values()))

    def sources(self) -> tuple[tuple[str, ...], ...]:
        """For each encoding, the columns of the table that it goes back to."""
        return tuple(source for encoder in self._encoders.values() for source in encoder.sources())

    def span(self, style: EncodingStyle) -> tuple[int, int]:
        """Where the features of a style start, and where they stop."""
        start = 0
        for known, encoder in self._encoders.items():
            width = sum(len(encoding.names()) for encoding in encoder.encodings_)
            if known is style:
                return start, start + width
            start += width
        raise KeyError(style)

    def transform(self, frame: pl.DataFrame) -> npt.NDArray[np.float64]:
        """Features of a table, shape (rows, features).

        Raises
        ------
        DataError
            If a column seen in training is missing.
        """
        return np.hstack([encoder.transform(frame) for encoder in self._encoders.values()])

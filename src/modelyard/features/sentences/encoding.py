"""Free text as the vector that a pretrained sentence encoder gives it."""

import dataclasses
import functools

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import IntegrityError, Record
from modelyard.features.sentences.pretrained import SentenceModel, sentence_model
from modelyard.features.values import categories_in, category_of

__all__ = ["LINEAR_NORM", "SentenceEncoding", "fit_sentences"]

Matrix = npt.NDArray[np.float64]

LINEAR_NORM = 10.0
"""Length of a vector in linear models; measured on sms_spam: 3 to 10 do equally well, 1 and 20 less well."""


@dataclasses.dataclass(frozen=True)
class SentenceEncoding(Record):
    """What a text means, as far as an encoder trained on other texts can tell.

    Nothing is learnt from the training rows. The weights are not in the record: the encoder of the same digest must be
    installed where it is used.

    Parameters
    ----------
    column
        Name of the column read.
    encoder, version, digest
        The pretrained encoder, and SHA-256 over its files.
    width
        Numbers in a vector.
    norm
        Length that each vector is given; a missing text's is 0.
    """

    column: str
    encoder: str
    version: str
    digest: str
    width: int
    norm: float = 1.0

    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(f"{self.column}[{place}]" for place in range(self.width))

    def encode_series(self, series: pl.Series) -> Matrix:
        """Features of a column, shape (rows, ``width``); a text that repeats is read once.

        Raises
        ------
        MissingExtraError
            If the encoder is not installed.
        IntegrityError
            If the installed one is another.
        """
        matrix = np.zeros((len(series), self.width))
        places: dict[str | None, list[int]] = {}
        for row, text in enumerate(categories_in(series).to_list()):
            places.setdefault(text, []).append(row)
        for text, rows in places.items():
            matrix[rows] = self._vector(text)
        return matrix

    def encode_value(self, value: object) -> tuple[float, ...]:
        """Features of one value, the same bits as in :meth:`encode_series`."""
        return tuple(self._vector(category_of(value)).tolist())

    def _vector(self, text: str | None) -> Matrix:
        if text is None:
            return np.zeros(self.width)
        return self._model.vector(text).astype(np.float64) * self.norm

    @functools.cached_property
    def _model(self) -> SentenceModel:
        model = sentence_model()
        if model.digest != self.digest:
            raise IntegrityError(
                "the installed sentence encoder is not the one that the model was trained with",
                where=f"column {self.column!r}",
                got=f"{model.name} {model.version}, digest {model.digest[:12]} instead of {self.digest[:12]}",
                cure=f"Install {self.encoder} in version {self.version}",
            )
        return model

    def __getstate__(self) -> dict[str, object]:
        """The record alone; the weights are found again where it is used."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def fit_sentences(name: str, linear: bool) -> SentenceEncoding:
    """The encoding of a column by the installed encoder.

    Parameters
    ----------
    linear
        True if a linear model reads it, whose penalty depends on the length of vectors.

    Raises
    ------
    MissingExtraError
        If there is none.
    """
    model = sentence_model()
    norm = LINEAR_NORM if linear else 1.0
    return SentenceEncoding(name, model.name, model.version, model.digest, model.width, norm)

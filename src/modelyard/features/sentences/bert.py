"""A small BERT in NumPy: word pieces to one vector of a text. No framework is needed to compute it, here or in serving."""

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from modelyard.core import IntegrityError

__all__ = ["Bert", "read_tensors"]

Array = npt.NDArray[np.float64]

_EPSILON = 1e-12


def read_tensors(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """The 32-bit tensors of a safetensors file: a JSON header with names, shapes and places, then the bytes.

    Raises
    ------
    IntegrityError
        If the file is cut short or holds another type.
    """
    raw = path.read_bytes()
    try:
        (length,) = struct.unpack_from("<Q", raw)
        header = json.loads(raw[8 : 8 + length])
        header.pop("__metadata__", None)
        tensors = {}
        for name, entry in header.items():
            if entry["dtype"] == "F32":
                first, end = entry["data_offsets"]
                flat = np.frombuffer(raw, np.dtype("<f4"), (end - first) // 4, 8 + length + first)
                tensors[name] = flat.reshape(entry["shape"])
    except (ValueError, KeyError, struct.error) as error:
        raise IntegrityError(
            "the weights cannot be read", where=str(path), got=str(error)[:120], cure="Install the package again"
        ) from error
    return tensors


class Bert:
    """A BERT encoder with mean pooling and unit length (Devlin et al., 2019; Reimers and Gurevych, 2019).

    It computes in 64 bits, one text at a time and without padding: a text has one vector, whatever stands beside it and
    whichever processor works it out, but for the last of 15 digits.

    Parameters
    ----------
    tensors
        By the names of the published checkpoints.
    layers, heads
        As in the checkpoint's configuration.
    """

    def __init__(self, tensors: Mapping[str, npt.NDArray[np.float32]], *, layers: int, heads: int) -> None:
        self._words = tensors["embeddings.word_embeddings.weight"]  # by far the largest; widened where it is read
        self._tensors = {name: t.astype(np.float64) for name, t in tensors.items() if t is not self._words}
        self._layers = layers
        self._heads = heads

    def vector(self, pieces: list[int]) -> Array:
        """The mean of the last layer over all pieces, divided by its length."""
        places = self._tensors["embeddings.position_embeddings.weight"][: len(pieces)]
        kind = self._tensors["embeddings.token_type_embeddings.weight"][0]
        hidden = self._normed(self._words[pieces].astype(np.float64) + kind + places, "embeddings.LayerNorm")
        for layer in range(self._layers):
            hidden = self._layer(hidden, f"encoder.layer.{layer}.")
        mean = hidden.mean(axis=0)
        unit: Array = mean / np.sqrt((mean * mean).sum())
        return unit

    def _layer(self, hidden: Array, at: str) -> Array:
        """Attention, then the wide layer, each added to what came in."""
        seen = self._linear(self._attended(hidden, f"{at}attention.self."), f"{at}attention.output.dense")
        hidden = self._normed(hidden + seen, f"{at}attention.output.LayerNorm")
        wide = self._linear(hidden, f"{at}intermediate.dense")
        wide = 0.5 * wide * (1.0 + erf(wide / math.sqrt(2.0)))  # GELU, exact
        return self._normed(hidden + self._linear(wide, f"{at}output.dense"), f"{at}output.LayerNorm")

    def _attended(self, hidden: Array, at: str) -> Array:
        """What each piece takes from all, head by head."""
        rows, width = hidden.shape
        size = width // self._heads
        query, key, value = (
            self._linear(hidden, f"{at}{name}").reshape(rows, self._heads, size).transpose(1, 0, 2)
            for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(size)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        taken: Array = (weights @ value).transpose(1, 0, 2).reshape(rows, width)
        return taken

    def _linear(self, inputs: Array, name: str) -> Array:
        outputs: Array = inputs @ self._tensors[f"{name}.weight"].T + self._tensors[f"{name}.bias"]
        return outputs

    def _normed(self, inputs: Array, name: str) -> Array:
        centred = inputs - inputs.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + _EPSILON)
        normed: Array = centred / spread * self._tensors[f"{name}.weight"] + self._tensors[f"{name}.bias"]
        return normed

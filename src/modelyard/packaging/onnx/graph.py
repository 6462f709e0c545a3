"""An ONNX graph that grows node by node; all its numbers are doubles."""

from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.core import MissingExtraError

__all__ = ["Graph", "require_onnx"]

_OPSETS = {"": 21, "ai.onnx.ml": 5}
"""Operators as of these versions: with version 5 of its own, trees compare doubles; before, single precision."""

_IR_VERSION = 10


def require_onnx() -> None:
    """Refuse to go on without the libraries.

    Raises
    ------
    MissingExtraError
        If one of them is not installed.
    """
    for name in ("onnx", "onnxruntime"):
        try:
            __import__(name)
        except ImportError as error:
            raise MissingExtraError(name, extra="onnx", needed_for="the export to ONNX") from error


class Graph:
    """Inputs, constants and nodes; every method gives the name of a value, which others take."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: dict[str, Any] = {}
        self._count = 0

    def input(self, name: str, *, text: bool) -> str:
        """A column of doubles or of text, shape (rows, 1); asked for twice it is the same."""
        from onnx import TensorProto, helper

        if name not in self._inputs:
            kind = TensorProto.STRING if text else TensorProto.DOUBLE
            self._inputs[name] = helper.make_tensor_value_info(name, kind, ["rows", 1])
        return name

    def constant(self, value: npt.ArrayLike) -> str:
        """Numbers, truths or text as they are; Python's floats become doubles."""
        from onnx import helper, numpy_helper

        array, name = np.asarray(value), self._name()
        if array.dtype.kind in "UO":
            words = [str(word).encode() for word in array.ravel()]
            tensor = helper.make_tensor(name, 8, list(array.shape), words)  # 8 is TensorProto.STRING
        else:
            tensor = numpy_helper.from_array(array, name)
        self._constants.append(tensor)
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """One node with one output."""
        from onnx import helper

        name = self._name()
        self._nodes.append(helper.make_node(operator, list(inputs), [name], domain=domain, **attributes))
        return name

    def to_double(self, value: str) -> str:
        """A value as doubles."""
        from onnx import TensorProto

        return self.add("Cast", value, to=TensorProto.DOUBLE)

    def to_whole(self, value: str) -> str:
        """A value as whole numbers."""
        from onnx import TensorProto

        return self.add("Cast", value, to=TensorProto.INT64)

    def in_single_precision(self, value: str) -> str:
        """Doubles rounded to single precision, and kept in doubles."""
        from onnx import TensorProto

        return self.to_double(self.add("Cast", value, to=TensorProto.FLOAT))

    def model(self, outputs: dict[str, tuple[str, bool, int | None]], metadata: dict[str, str]) -> Any:
        """The finished model.

        Parameters
        ----------
        outputs
            Name to value, whether it is text, and its columns (None for a plain list).
        metadata
            What the file says about itself.
        """
        from onnx import TensorProto, checker, helper

        infos, nodes = [], list(self._nodes)
        for name, (value, text, columns) in outputs.items():
            nodes.append(helper.make_node("Identity", [value], [name]))
            shape = ["rows"] if columns is None else ["rows", columns]
            infos.append(helper.make_tensor_value_info(name, TensorProto.STRING if text else TensorProto.DOUBLE, shape))
        graph = helper.make_graph(nodes, "modelyard", list(self._inputs.values()), infos, self._constants)
        opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="modelyard")
        helper.set_model_props(model, metadata)
        checker.check_model(model)
        return model

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count}"

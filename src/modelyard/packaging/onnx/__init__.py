"""Packages as one ONNX file, for devices where no Python runs.

Takes: a package, and rows to compare on.
Gives: a file from columns to answers that plain ONNX Runtime runs, and how far its answers are from the package's.
Never: writes a file that answers differently, unless somebody insists; converts what it cannot convert exactly.
"""

from modelyard.packaging.onnx.export import export_onnx
from modelyard.packaging.onnx.records import MISSING, OnnxExport, OnnxParity

__all__ = ["MISSING", "OnnxExport", "OnnxParity", "export_onnx"]

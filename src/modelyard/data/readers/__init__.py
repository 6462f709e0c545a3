"""Readers: one for each kind of source, behind one protocol."""

from modelyard.data.readers.protocol import Certainty, FileReader, Raw, Reader, Source
from modelyard.data.readers.registry import reader_for, readers

__all__ = ["Certainty", "FileReader", "Raw", "Reader", "Source", "reader_for", "readers"]

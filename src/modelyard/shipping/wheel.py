"""modelyard itself as a wheel, made from the very files that run here: no registry has to know it.

The format is that of the binary distribution format 1.0 (PEP 427). The same files give the same bytes.
"""

import base64
import hashlib
import importlib.metadata
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from modelyard.shipping.requirements import Pin
from modelyard.version import __version__

__all__ = ["WHEEL_NAME", "write_wheel"]

_SOURCE = Path(__file__).parents[1]
_INFO = f"modelyard-{__version__}.dist-info"
_LICENSES = ("LICENSE", "NOTICE")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest moment that a zip file can name

WHEEL_NAME = f"modelyard-{__version__}-py3-none-any.whl"


def write_wheel(folder: Path, requires: Sequence[Pin]) -> Path:
    """Write the wheel into a folder; it declares what serving needs, not what training needs."""
    files = dict(_files(requires))
    record = f"{_INFO}/RECORD"
    lines = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    path = folder / WHEEL_NAME
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return path


def _files(requires: Sequence[Pin]) -> Iterator[tuple[str, bytes]]:
    """Every file of the wheel but its record."""
    for path in sorted(_SOURCE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            yield f"modelyard/{path.relative_to(_SOURCE).as_posix()}", path.read_bytes()
    for name in _LICENSES:
        text = _license(name)
        if text:
            yield f"{_INFO}/licenses/{name}", text.encode()
    yield f"{_INFO}/METADATA", _metadata(requires).encode()
    yield f"{_INFO}/WHEEL", b"Wheel-Version: 1.0\nGenerator: modelyard\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def _metadata(requires: Sequence[Pin]) -> str:
    """The core metadata (version 2.1)."""
    lines = [
        "Metadata-Version: 2.1",
        "Name: modelyard",
        f"Version: {__version__}",
        "Summary: modelyard, with the dependencies of serving only",
        "License: Apache-2.0",
        "Requires-Python: >=3.11",
        *(f"Requires-Dist: {pin}" for pin in requires),
    ]
    return "\n".join([*lines, ""])


def _license(name: str) -> str:
    """The text of a licence, from the installed distribution or from the checkout beside the source."""
    beside = _SOURCE.parents[1] / name
    if beside.is_file():
        return beside.read_text(encoding="utf-8")
    return importlib.metadata.distribution("modelyard").read_text(f"licenses/{name}") or ""


def _digest(content: bytes) -> str:
    """SHA-256 as a wheel's record spells it: base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()

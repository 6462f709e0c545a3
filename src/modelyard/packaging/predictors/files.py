"""Reading a predictor's files: every damage is one kind of error."""

import json
from collections.abc import Mapping
from typing import Any

from modelyard.core import IntegrityError

__all__ = ["damaged", "file_of", "json_of"]


def file_of(files: Mapping[str, bytes], name: str) -> bytes:
    """The content of the file called ``name``.

    Raises
    ------
    IntegrityError
        If it is not there.
    """
    if name not in files:
        raise damaged(name, f"only {', '.join(sorted(files)) or 'no files'}")
    return files[name]


def json_of(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    """The JSON object in the file called ``name``.

    Raises
    ------
    IntegrityError
        If it is missing, no JSON, or no object.
    """
    try:
        content = json.loads(file_of(files, name))
    except ValueError as error:
        raise damaged(name, str(error)) from error
    if not isinstance(content, dict):
        raise damaged(name, type(content).__name__)
    return content


def damaged(name: str, got: str) -> IntegrityError:
    """The error for a model file that cannot be used."""
    return IntegrityError(
        "a model file cannot be read", where=f"model/{name}", got=got, cure="Build the package again from its run"
    )

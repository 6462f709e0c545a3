"""Records on disk: each as JSON, with the page that shows it beside it."""

import json
from pathlib import Path
from typing import TypeVar

from modelyard.core import IntegrityError, Record, StateError, write_atomic, write_json_atomic

__all__ = ["load_record", "save_record"]

R = TypeVar("R", bound=Record)


def save_record(folder: Path, name: str, record: Record, html: str | None = None) -> Path:
    """Write ``<name>.json`` and, if given, ``<name>.html``; returns the path of the last written.

    The page is written first: a record that is there has its page.
    """
    path = folder / f"{name}.json"
    if html is not None:
        write_atomic(folder / f"{name}.html", html)
    write_json_atomic(path, record.to_dict())
    return folder / f"{name}.html" if html is not None else path


def load_record(kind: type[R], folder: Path, name: str, *, cure: str) -> R:
    """Read back what :func:`save_record` wrote.

    Raises
    ------
    StateError
        If it was never written; ``cure`` says which command writes it.
    IntegrityError
        If the file is not what was written.
    """
    path = folder / f"{name}.json"
    try:
        return kind.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise StateError(f"there is no {name} yet", where=str(folder), cure=cure) from None
    except ValueError as error:
        raise IntegrityError("the record is damaged", where=str(path), got=str(error), cure=cure) from error

"""Object storage: files and folders behind ``s3://``, ``gs://`` and ``az://``, through fsspec."""

import contextlib
import importlib
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from modelyard.core import DataError, MissingExtraError
from modelyard.data.readers.folder import is_part, read_parts
from modelyard.data.readers.protocol import Certainty, Raw, Source

__all__ = ["OBJECT_SCHEMES", "ObjectStorageReader"]

_PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
}
OBJECT_SCHEMES = tuple(_PACKAGES)
"""Schemes that are read through fsspec."""

# What each package lets through from its vendor besides OSError; looked up by name, since none has to be installed.
_VENDOR_ERRORS = {
    "s3fs": ("botocore.exceptions:BotoCoreError", "botocore.exceptions:ClientError"),
    "gcsfs": ("google.auth.exceptions:GoogleAuthError", "gcsfs.retry:HttpError"),
    "adlfs": ("azure.core.exceptions:AzureError",),
}
_STATE_KEYS = ("ETag", "etag", "size", "LastModified", "last_modified", "updated", "generation", "content_md5")
_LOGIN = {
    "s3fs": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gcsfs": "Set GOOGLE_APPLICATION_CREDENTIALS, or run: gcloud auth application-default login",
    "adlfs": "Set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}

ReadPart = Callable[[Source], Raw]


class ObjectStorageReader:
    """Fetches an object, or all parts below a prefix, and lets the reader of its format read it.

    Logins come from where the vendor's own tools take them: environment, profile, machine. The address never holds one.

    Parameters
    ----------
    read_part
        Reads bytes that were fetched.
    """

    name = "object storage"
    reads = "object storage: s3://, gs://, az://; files and folders of every format above"
    takes_query = False

    def __init__(self, read_part: ReadPart) -> None:
        self._read_part = read_part

    def recognises(self, source: Source) -> Certainty:
        """By the scheme."""
        return Certainty.NAME if source.scheme in _PACKAGES else Certainty.NO

    def state(self, source: Source) -> str:
        """Entity tags, sizes and times of the objects.

        Raises
        ------
        DataError, MissingExtraError
            As :meth:`read`.
        """
        with _explained(source):
            found = _listing(_filesystem(source), source.location)
        return json.dumps({name: {key: str(info.get(key)) for key in _STATE_KEYS} for name, info in found.items()})

    def read(self, source: Source) -> Raw:
        """The rows of one object, or of all parts below a prefix.

        Raises
        ------
        DataError
            If there is no such object, the login is missing or refused, the service cannot be reached, or the content
            is no table.
        MissingExtraError
            If the package for the scheme is not installed.
        """
        with _explained(source):
            files = _filesystem(source)
            found = _listing(files, source.location)
            root = str(files._strip_protocol(source.location)).rstrip("/")  # noqa: SLF001 - fsspec's own public-by-custom name
            is_one = list(found) == [root]
            parts = {
                name: _fetched(files, name, source.location if is_one else f"{source.scheme}://{name}", source)
                for name in found
            }
        if is_one:
            return self._read_part(parts[root])
        named = [(name[len(root) + 1 :], part) for name, part in parts.items()]
        return read_parts(named, source.location, self._read_part)


def _fetched(files: Any, name: str, location: str, source: Source) -> Source:
    """One object: its bytes, or a copy in the scratch folder."""
    if source.scratch is None:
        return Source(location, sheet=source.sheet, content=bytes(files.cat_file(name)))
    copy = source.scratch / "objects" / f"{secrets.token_hex(8)}{Path(name).suffix}"
    copy.parent.mkdir(parents=True, exist_ok=True)
    files.get_file(name, str(copy))
    return Source(location, sheet=source.sheet, scratch=source.scratch, fetched=copy)


def _filesystem(source: Source) -> Any:
    """The vendor's file system, fresh: no listing and no login of an earlier reading is used again."""
    package = _PACKAGES[source.scheme]
    try:
        importlib.import_module(package)
        import fsspec
    except ImportError as error:
        raise MissingExtraError(
            package, extra="object-storage", needed_for=f"reading {source.scheme}:// addresses"
        ) from error
    return fsspec.filesystem(source.scheme, skip_instance_cache=True, use_listings_cache=False)


def _listing(files: Any, location: str) -> dict[str, dict[str, Any]]:
    """Name to facts: the object itself, or the parts below the prefix."""
    info = files.info(location)
    if info["type"] == "file":
        return {str(files._strip_protocol(location)).rstrip("/"): info}  # noqa: SLF001 - as above
    root = str(files._strip_protocol(location)).rstrip("/")  # noqa: SLF001 - as above
    below: dict[str, dict[str, Any]] = files.find(location, detail=True)
    return {name: below[name] for name in sorted(below) if is_part(name[len(root) + 1 :])}


@contextlib.contextmanager
def _explained(source: Source) -> Iterator[None]:
    """Turn what the vendor says into one sentence with a cure."""
    package = _PACKAGES[source.scheme]
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(
            "there is no such object", where=source.location, cure="Check bucket and name; capitals count"
        ) from error
    except _vendor_errors(package) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:160]
        refused = isinstance(error, PermissionError)
        about_login = refused or "credential" in reason.lower() or "login" in reason.lower()
        what = (
            "access was refused" if refused else "the login is missing" if about_login else "the object cannot be read"
        )
        cure = _LOGIN[package] if about_login else "Check the address and the connection, then run the command again"
        raise DataError(what, where=source.location, got=reason, cure=cure) from error


def _vendor_errors(package: str) -> tuple[type[Exception], ...]:
    found: list[type[Exception]] = [OSError, ValueError]
    for address in _VENDOR_ERRORS[package]:
        module, name = address.split(":")
        with contextlib.suppress(ImportError):
            found.append(getattr(importlib.import_module(module), name))
    return tuple(found)

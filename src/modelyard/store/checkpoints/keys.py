"""Ed25519 keys (RFC 8032): a private one in a file of one's own, public ones in the project file."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.core import ConfigError, MissingExtraError, StateError
from modelyard.core.files import unwritten

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["is_signed", "make_key", "public_key", "sign"]

_OTHERS = 0o077


def make_key(path: Path) -> str:
    """Make a private key that only its owner may read; returns the public one, in hexadecimal.

    Raises
    ------
    StateError
        If there is a file already: a key is never overwritten.
    ModelyardError
        If the file cannot be written.
    """
    ed25519, serialization = _cryptography()
    content = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(content)
    except FileExistsError:
        cure = "Use it, or name another file: store.checkpoints.key"
        raise StateError("there is a key already", where=str(path), cure=cure) from None
    except OSError as error:
        raise unwritten(path, error) from error
    return public_key(path)


def public_key(path: Path) -> str:
    """The public key that belongs to a private one, in hexadecimal.

    Raises
    ------
    StateError
        If there is no such file.
    ConfigError
        If it holds no Ed25519 key, or others may read it.
    """
    return _private(path).public_key().public_bytes_raw().hex()


def sign(content: bytes, path: Path) -> str:
    """The signature of ``content`` by the key in a file, in hexadecimal; raises as :func:`public_key`."""
    return _private(path).sign(content).hex()


def is_signed(content: bytes, signature: str, public: str) -> bool:
    """Whether the owner of a public key has signed ``content``."""
    from cryptography.exceptions import InvalidSignature

    ed25519, _ = _cryptography()
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _private(path: Path) -> "Ed25519PrivateKey":
    ed25519, serialization = _cryptography()
    try:
        content, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise StateError(
            "there is no key to sign with",
            where=str(path),
            got=error.strerror or str(error),
            cure="Run: modelyard ledger key",
        ) from error
    if mode & _OTHERS:
        raise ConfigError(
            "others may read the key", where=str(path), got=f"{mode & 0o777:o}", cure=f"Run: chmod 600 {path}"
        )
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        raise _no_key(path) from error
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise _no_key(path)
    found: Ed25519PrivateKey = key
    return found


def _no_key(path: Path) -> ConfigError:
    return ConfigError(
        "the file holds no Ed25519 key",
        where=str(path),
        cure="Give a private key in PEM, without a password, or run: modelyard ledger key",
    )


def _cryptography() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise MissingExtraError("cryptography", extra="signing", needed_for="signing checkpoints") from error
    return ed25519, serialization

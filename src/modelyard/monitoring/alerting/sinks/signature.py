"""The signature of a webhook: whoever has the key can tell that a message is ours, whole, and recent."""

import hashlib
import hmac

__all__ = ["sign", "verify_signature"]


def sign(key: str, timestamp: int, body: bytes) -> str:
    """``sha256=`` and the HMAC-SHA256 (RFC 2104) of ``timestamp.body``, in hexadecimal.

    >>> sign("key", 1767225600, b"{}")[:15]
    'sha256=df344de4'
    """
    code = hmac.new(key.encode("utf-8"), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"sha256={code.hexdigest()}"


def verify_signature(
    key: str, timestamp: str, body: bytes, signature: str, *, now: float, tolerance_s: float = 300.0
) -> bool:
    """Whether a message is genuine; for those who receive webhooks in Python.

    Parameters
    ----------
    key
        The key that both sides know.
    timestamp, signature
        The headers ``X-Modelyard-Timestamp`` and ``X-Modelyard-Signature``.
    body
        The bytes as they came.
    now, tolerance_s
        Seconds since 1970, and how old a message may be: an old one may have been recorded by somebody else.
    """
    if not timestamp.isdecimal() or abs(now - int(timestamp)) > tolerance_s:
        return False
    return hmac.compare_digest(sign(key, int(timestamp), body).encode(), signature.encode("utf-8", "replace"))

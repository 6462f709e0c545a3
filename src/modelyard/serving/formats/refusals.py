"""Refusals that every door gives in the same words: the server's and a function's."""

from collections.abc import Sequence

from modelyard.serving.formats.problems import FieldError, RefusedRequestError

__all__ = ["contract_violated", "internal_failure", "log_unavailable", "method_not_allowed", "too_many_rows"]


def too_many_rows(rows: int, most: int) -> RefusedRequestError:
    """More rows than one request may have."""
    return RefusedRequestError(
        413,
        "too-many-rows",
        f"the request has {rows} rows, more than {most}",
        cure="Send fewer rows at once, or use batch scoring",
    )


def contract_violated(errors: Sequence[FieldError], *, cure: str) -> RefusedRequestError:
    """Rows that break the model's contract."""
    return RefusedRequestError(
        422,
        "contract-violated",
        "the rows break the model's contract, so nothing was predicted",
        cure=cure,
        errors=errors,
    )


def log_unavailable() -> RefusedRequestError:
    """A log that takes nothing, so that no answer leaves."""
    return RefusedRequestError(
        503,
        "log-unavailable",
        "the request cannot be recorded at the moment, so it is not answered; nothing of it was kept",
        cure="Send it again in a moment",
        headers={"retry-after": "1"},
    )


def method_not_allowed(method: str, allowed: Sequence[str]) -> RefusedRequestError:
    """A route that does not answer the method."""
    names = ", ".join(allowed)
    return RefusedRequestError(
        405,
        "method-not-allowed",
        f"this route does not answer {method[:16]}",
        cure=f"Use {names}",
        headers={"allow": names},
    )


def internal_failure(instance: str) -> RefusedRequestError:
    """A failure of our own, of which the caller gets the id alone."""
    return RefusedRequestError(500, "internal", "something failed on our side", cure=f"Report the id {instance}")

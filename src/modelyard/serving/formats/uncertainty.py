"""Whether a request asks how sure its predictions are."""

from urllib.parse import parse_qsl

from modelyard.serving.formats.problems import FieldError, RefusedRequestError, shown

__all__ = ["wants_uncertainty"]

_FIELD = "uncertainty"
_MEANINGS = {"true": True, "1": True, "false": False, "0": False}


def wants_uncertainty(query: str, *, can: bool) -> bool:
    """Whether ``?uncertainty=true`` is in the address.

    Parameters
    ----------
    query
        What follows the question mark, undecoded.
    can
        Whether the model can say.

    Raises
    ------
    RefusedRequestError
        With status 422, if the value is neither true nor false, or the model cannot say.

    Examples
    --------
    >>> wants_uncertainty("uncertainty=true", can=True), wants_uncertainty("", can=True)
    (True, False)
    """
    if _FIELD not in query:
        return False
    value = dict(parse_qsl(query, keep_blank_values=True)).get(_FIELD, "false")
    wanted = _MEANINGS.get(value.lower())
    if wanted is None:
        error = FieldError(_FIELD, shown(value), "true or false")
        raise _refused("uncertainty is neither true nor false", "Ask with ?uncertainty=true", error)
    if wanted and not can:
        cure = "Set evaluation.coverage or evaluation.quantiles in the project file, evaluate and package again"
        raise _refused("this model does not say how sure it is", cure, FieldError(_FIELD, shown(value), "false"))
    return wanted


def _refused(what: str, cure: str, error: FieldError) -> RefusedRequestError:
    return RefusedRequestError(422, "no-uncertainty", what, cure=cure, errors=[error])

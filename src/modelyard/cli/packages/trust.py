"""The operator's yes to estimators that only skops can keep, as an option of several commands."""

from typing import Annotated

import typer

__all__ = ["AllowSkopsOption"]

AllowSkopsOption = Annotated[
    str | None,
    typer.Option(
        "--allow-skops",
        metavar="TYPES",
        help="Read an estimator without a native form: `known` types of scikit-learn, or further ones by name, comma between.",
    ),
]

"""From columns to numbers.

Takes: typed columns of the training part, and what the estimator needs.
Gives: encodings — plain records that turn one row or a table into the same float64 features — and a feature catalogue.
Never: looks at rows outside training, or needs scikit-learn to encode (the estimator around it lives in
``modelyard.features.encoder``).
"""

from modelyard.features.catalogue import FeatureEntry, catalogue
from modelyard.features.encodings import (
    BooleanEncoding,
    CategoryEncoding,
    CategoryStyle,
    ConstantEncoding,
    DateEncoding,
    DatePart,
    Encoding,
    EncodingStyle,
    NumericEncoding,
    encode_frame,
    encode_row,
    encodings_from_json,
    encodings_to_json,
)

__all__ = [
    "BooleanEncoding",
    "CategoryEncoding",
    "CategoryStyle",
    "ConstantEncoding",
    "DateEncoding",
    "DatePart",
    "Encoding",
    "EncodingStyle",
    "FeatureEntry",
    "NumericEncoding",
    "catalogue",
    "encode_frame",
    "encode_row",
    "encodings_from_json",
    "encodings_to_json",
]

"""From columns to numbers.

Takes: typed columns of the training part, and what the estimator needs.
Gives: encodings — plain records that turn one row or a table into the same float64 features — and a feature catalogue.
Never: looks at rows outside training, or needs scikit-learn to encode (the estimator around it lives in
``modelyard.features.encoder``).
"""

from modelyard.features.catalogue import FeatureEntry, catalogue
from modelyard.features.dates import DateDifferenceEncoding, DateEncoding, DatePart
from modelyard.features.encodings import (
    BooleanEncoding,
    CategoryEncoding,
    CategoryStyle,
    ColumnEncoding,
    ConstantEncoding,
    Encoding,
    EncodingStyle,
    LeftOutEncoding,
    NumericEncoding,
    columns_of,
    encode_frame,
    encode_row,
    encodings_from_json,
    encodings_to_json,
    row_encoder,
    sources_of,
)
from modelyard.features.own import OWN_FILE, OwnFeature, OwnFeatures, feature, load_own_features
from modelyard.features.selection import SelectionReport
from modelyard.features.sentences import SentenceEncoding
from modelyard.features.targets import TargetEncoding
from modelyard.features.text import TextEncoding
from modelyard.features.transforms import (
    BinsEncoding,
    InteractionEncoding,
    LogEncoding,
    QuantileEncoding,
    SplineEncoding,
)

__all__ = [
    "OWN_FILE",
    "BinsEncoding",
    "BooleanEncoding",
    "CategoryEncoding",
    "CategoryStyle",
    "ColumnEncoding",
    "ConstantEncoding",
    "DateDifferenceEncoding",
    "DateEncoding",
    "DatePart",
    "Encoding",
    "EncodingStyle",
    "FeatureEntry",
    "InteractionEncoding",
    "LeftOutEncoding",
    "LogEncoding",
    "NumericEncoding",
    "OwnFeature",
    "OwnFeatures",
    "QuantileEncoding",
    "SelectionReport",
    "SentenceEncoding",
    "SplineEncoding",
    "TargetEncoding",
    "TextEncoding",
    "catalogue",
    "columns_of",
    "encode_frame",
    "encode_row",
    "encodings_from_json",
    "encodings_to_json",
    "feature",
    "load_own_features",
    "row_encoder",
    "sources_of",
]

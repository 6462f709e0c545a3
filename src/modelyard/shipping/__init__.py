"""Shipping: a package leaves the project as an image, as a serverless function, or as objects of a cluster.

Takes: a verified package.
Gives: build contexts and images, bundles, manifests; each names the digest of the package and pins what it needs.
Never: ships what was not rehearsed, holds a key, or speaks to a cluster or a cloud.
"""

from modelyard.shipping.builders import BUILDERS, Builder, find_builder
from modelyard.shipping.context import Context, image_tag
from modelyard.shipping.functions import PLATFORMS, bundle_folder, make_bundle
from modelyard.shipping.image import ImageReport, Wish, make_image
from modelyard.shipping.kubernetes import FORMS, Deployed, export_manifests, manifest_file
from modelyard.shipping.requirements import SERVING, Pin, serving_pins

__all__ = [
    "BUILDERS",
    "FORMS",
    "PLATFORMS",
    "SERVING",
    "Builder",
    "Context",
    "Deployed",
    "ImageReport",
    "Pin",
    "Wish",
    "bundle_folder",
    "export_manifests",
    "find_builder",
    "image_tag",
    "make_bundle",
    "make_image",
    "manifest_file",
    "serving_pins",
]

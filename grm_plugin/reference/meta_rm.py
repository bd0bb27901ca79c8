"""The embedded reference meta RM as a classifier: the shipped weights and their template."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grm_plugin.classifiers import Classifier, ClassifierFactory
from grm_plugin.classifiers.transformers import TransformersClassifier
from grm_plugin.engine import Limits
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.local.options import LocalModelOptions

META_MODEL = Path(__file__).parent / "meta"
"""The shipped weights, in the layout of transformers."""


class ReferenceMetaOptions(LocalModelOptions):
    """Options of the ``transformers`` classifier, whose model is the one that is shipped."""

    model: str = str(META_MODEL)


class ReferenceMetaRM:
    """Makes the classifier that holds the shipped meta RM."""

    Options = ReferenceMetaOptions

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> Classifier:
        return TransformersClassifier({"model": str(META_MODEL), **options}, limits)


@hookimpl
def grm_register_classifiers(register: Register[ClassifierFactory]) -> None:
    """Offer the embedded reference meta RM."""
    register("reference", ReferenceMetaRM())

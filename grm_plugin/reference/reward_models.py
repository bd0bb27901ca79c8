"""The embedded meta RM and scalar RM as classifiers: the shipped weights and their templates."""

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
"""The shipped meta RM, in the layout of transformers."""

SCALAR_MODEL = Path(__file__).parent / "scalar"
"""The shipped scalar RM, which has the judge's size."""


class ReferenceMetaOptions(LocalModelOptions):
    """Options of the ``transformers`` classifier, whose model is the meta RM that is shipped."""

    model: str = str(META_MODEL)


class ReferenceScalarOptions(LocalModelOptions):
    """Options of the ``transformers`` classifier, whose model is the scalar RM that is shipped."""

    model: str = str(SCALAR_MODEL)


class ShippedClassifier:
    """Makes the classifier that holds one of the shipped models.

    Args:
        options: its options; ``model`` has the shipped folder by default.
    """

    def __init__(self, options: type[LocalModelOptions]) -> None:
        self.Options = options

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> Classifier:
        shipped = {"model": self.Options.model_fields["model"].default}
        return TransformersClassifier({**shipped, **options}, limits)


@hookimpl
def grm_register_classifiers(register: Register[ClassifierFactory]) -> None:
    """Offer the embedded meta RM and scalar RM of the reference family."""
    register("reference", ShippedClassifier(ReferenceMetaOptions))
    register("reference-scalar", ShippedClassifier(ReferenceScalarOptions))

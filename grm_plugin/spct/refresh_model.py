"""The scalar RM that is refreshed: loaded once, trained a version at a time. Imports torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from transformers import AutoModelForSequenceClassification

from grm_plugin.classifiers import SCALAR, TEMPLATE, Scaling, scaling_beside
from grm_plugin.local.loading import load
from grm_plugin.local.options import LocalModelOptions
from grm_plugin.pipeline.scalar_reading import load_scalar_template, scalar_template_file
from grm_plugin.spct.classifier_trainer import ClassifierTrainer
from grm_plugin.spct.classifier_training import arguments, run, save
from grm_plugin.spct.refresh_settings import Refreshing
from grm_plugin.spct.scalar_encoding import ScalarEncoder
from grm_plugin.spct.scalar_examples import Examples, collate, loss
from grm_plugin.spct.scalar_pairs import Compared
from grm_plugin.spct.scalar_report import Calibrated, accuracy_of, calibrated

_FEWEST_PAIRS = 20  # that say what logits mean


class RefreshModel:
    """A scalar RM and its scaling.

    Args:
        settings: how it is trained.
        folder: of the version to load; None: the base of the settings.
        template: a file of what it reads; None: the one in that folder, else its chat template.

    Raises:
        EngineError: it can not be loaded, or is no scalar RM.
        ConfigError: nothing says what it reads.
    """

    def __init__(self, settings: Refreshing, folder: Path | None, template: Path | None) -> None:
        name = str(folder or settings.base)
        owner = f"scalar RM {name!r}"
        options = LocalModelOptions(model=name, dtype=settings.dtype)
        path = scalar_template_file(name, template)
        read = load_scalar_template(str(path)) if path else None
        self._settings = settings
        self._template = path.read_text(encoding="utf-8") if path else None
        self._model, self._tokenizer = load(
            AutoModelForSequenceClassification, options, owner, num_labels=1
        )
        encoder = ScalarEncoder(self._tokenizer, owner, read)
        self._examples = Examples(encoder, self._model)
        self._calibrated = Calibrated(*(scaling_beside(name) or Scaling()))

    def train(self, groups: Sequence[Compared], version: int) -> float | None:
        """Train on ``groups``; the mean loss in nats a pair, None where none fits the context."""
        examples = self._examples.of(groups)
        if not examples:
            return None
        settings = replace(self._settings, seed=self._settings.seed + version)
        told = arguments(settings, save_strategy="no", lr_scheduler_type="constant", warmup_steps=0)
        self._model.config.use_cache = False
        trainer = ClassifierTrainer(
            loss,
            model=self._model,
            args=told,
            train_dataset=examples,
            data_collator=collate,
            processing_class=self._tokenizer,
        )
        result = run(trainer, settings)
        return round(float(result.training_loss), 4)

    def look(self, held_out: Sequence[Compared]) -> tuple[float | None, int]:
        """The share of held-out pairs in their order, and their number; the scaling follows them.

        Of too few pairs there is no share, and the scaling of the version before stays.
        """
        scored = [(one, self._examples.scores(one.group)) for one in held_out]
        found = calibrated(scored)
        if found.pairs < _FEWEST_PAIRS:
            return None, found.pairs
        self._calibrated = found
        return accuracy_of(scored), found.pairs

    def save(self, folder: Path) -> None:
        """Write weights, tokenizer, scaling and template into ``folder``."""
        save(self._model.save_pretrained, self._model, self._tokenizer, folder)
        self._tokenizer.save_pretrained(folder)
        text = json.dumps({**asdict(self._calibrated), "base": self._settings.base}, indent=2)
        (folder / SCALAR).write_text(text + "\n", encoding="utf-8")
        if self._template:
            (folder / TEMPLATE).write_text(self._template, encoding="utf-8")

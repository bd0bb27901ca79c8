"""Prompts for online RL: labelled groups, each rendered in shuffled orders of its responses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from grm_plugin.pipeline.planning import distinct, looks, plan
from grm_plugin.spct.asking import Asking
from grm_plugin.spct.examples import Datum, subset_of
from grm_plugin.types import Message


@dataclass(frozen=True, slots=True)
class RLRow:
    """One prompt of a judge in training, and what a right answer to it is.

    Args:
        prompt: the messages that the judge sees.
        order: ``order[shown place] = index in the group``.
        label: the place of the best response among those shown, from 0; of one response 0 or 1.
        responses: how many are shown.
        subset: what the data calls its part, else the number of responses: ``n4``.
        id: of the group, else its fingerprint.
        template_hash: digest of the template that asks.
    """

    prompt: tuple[Message, ...]
    order: tuple[int, ...]
    label: int
    responses: int
    subset: str
    id: str
    template_hash: str

    def as_json(self) -> dict[str, Any]:
        """A row of a data set: a prompt for any trainer, and columns that its reward gets.

        ``target`` holds label, responses, subset and template_hash once more as one text, for
        trainers that hand a single column to the reward.
        """
        known = {
            "label": self.label,
            "responses": self.responses,
            "subset": self.subset,
            "template_hash": self.template_hash,
        }
        return {
            "prompt": [asdict(message) for message in self.prompt],
            "order": list(self.order),
            **known,
            "id": self.id,
            "target": json.dumps(known, ensure_ascii=False),
        }


def rl_rows(
    data: Iterable[Datum], asking: Asking, *, orders: int = 1, seed: int = 0
) -> Iterator[RLRow]:
    """The rows of ``data``: ``orders`` for every group, in orders that the seed decides.

    Orders are those of scoring: balanced, so that N of them show every response at every place, and
    of equal responses only the first is shown. A group of equal responses has no rows.

    Args:
        data: of groups that :meth:`grm_plugin.spct.asking.Asking.check` lets pass.
        asking: the prompts.
        orders: how many shuffles of the responses of each group.
        seed: decides them.

    Raises:
        ConfigError: the judge is shown more than is in the data.
    """
    asking.check_sources()
    return (row for datum in data for row in _rows(datum, asking, orders, seed))


def _rows(datum: Datum, asking: Asking, orders: int, seed: int) -> Iterator[RLRow]:
    group = datum.group
    shown, copy_of = distinct(looks(group))
    single = len(group.responses) == 1
    if len(shown) == 1 and not single:
        return
    prepared = asking.prepared(group)
    showings = plan(shown, k=orders, permutations=orders, seed=seed, fingerprint=group.fingerprint)
    for showing in showings:
        yield RLRow(
            prompt=prepared.render(showing.order),
            order=showing.order,
            label=datum.label if single else showing.order.index(copy_of[datum.label]),
            responses=len(shown),
            subset=subset_of(group),
            id=group.id or group.fingerprint,
            template_hash=asking.form(len(group.responses)).template.digest,
        )

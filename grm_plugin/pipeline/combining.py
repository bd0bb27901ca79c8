"""Which votes, sizes and selectors go with which plan; what does not is refused before a token."""

from __future__ import annotations

from collections.abc import Sequence

from grm_plugin.config import GRMConfig
from grm_plugin.errors import ConfigError
from grm_plugin.pipeline.default import NO_JUDGE
from grm_plugin.pipeline.plans import Plan
from grm_plugin.pipeline.voting import NO_WEIGHTS, TO_UNIT, Voter, can_weigh
from grm_plugin.size import Size
from grm_plugin.types import Judgment

# Votes that compare responses within one answer; a single response has nobody to be compared with.
_COMPARING = ("majority", "borda")
# Stoppers that may end a group after its first samples.
_EARLY = ("ranking", "advantage")
_CHOOSING = ("meta_rm", "weights")


def check_vote(config: GRMConfig, plan: Plan) -> None:
    """Refuse a vote whose rewards would mean nothing with this plan.

    Raises:
        ConfigError: says what to write.
    """
    vote = config.vote.name
    if vote in _COMPARING and plan.name == "each":
        raise ConfigError(
            f"vote: {vote} compares responses of one answer, and plan 'each' shows one at a time, "
            f"so all rewards would be equal; expected mean, median or another plan, got {vote}"
        )
    if vote != "sum":
        return
    if plan.name in ("each", "pairs"):
        raise ConfigError(
            f"vote: sum grows with the number of valid samples, which differs within a group with "
            f"plan {plan.name!r}; expected mean or median, got sum"
        )
    if config.over_context == "split":
        raise ConfigError(
            "vote: sum grows with the number of valid samples, which differs within a group that "
            "is split; expected mean or median with over_context: split (or over_context: refuse), "
            "got sum"
        )


def check_weights(config: GRMConfig, voter: Voter, *, weighs: bool) -> None:
    """Refuse a voter that can not weigh votes, where the selector ``weighs``.

    Raises:
        ConfigError: names the voter.
    """
    if weighs and not can_weigh(voter):
        raise ConfigError(f"vote: {config.vote}: {NO_WEIGHTS}")


def check_scalar(config: GRMConfig, voter: Voter, *, replays: bool) -> None:
    """Refuse a vote, a stopper or an engine that do not go with the scalar RM.

    Args:
        config: the settings.
        voter: which they name; one of others says with ``unit = True`` that its rewards are 0..1.
        replays: whether the engine replays what is on record.

    Raises:
        ConfigError: says what to write.
    """
    scalar, vote = config.scalar, config.vote.name
    if scalar is None:
        if config.engine.name == NO_JUDGE:
            raise ConfigError(
                f"engine: {NO_JUDGE} is for a scalar RM alone; expected a judge, or scalar with "
                "use: alone"
            )
        return
    if scalar.classifier is None and not replays:
        raise ConfigError(
            "scalar: classifier: required, and not given; say where the scalar RM runs, such as "
            "{name: transformers, model: ...}"
        )
    if scalar.alone:
        return
    in_unit = vote in TO_UNIT or getattr(voter, "unit", False) is True
    if not in_unit and (vote != "sum" or scalar.use == "cascade"):
        raise ConfigError(
            f"scalar: its vote is in 0..1, and so must be the judge's rewards beside it with use: "
            f"{scalar.use}; expected vote: {', '.join(TO_UNIT)}, got {config.vote}"
        )
    if scalar.votes_as and config.stop.name == "advantage":
        raise ConfigError(
            "scalar: stop: advantage does not reckon with the vote of a scalar RM; expected stop: "
            "ranking or fixed (or weight: 0 in a cascade), got advantage"
        )


def check_sizes(config: GRMConfig, plan: Plan) -> None:
    """Refuse a configured size, or one of the schedule, that this plan can not use.

    Raises:
        ConfigError: names the size, and says what to write.
    """
    check_size_of(config, plan, config.size)
    for name, size in (config.schedule.every_size() if config.schedule else {}).items():
        check_size_of(config, plan, size, f"schedule.{name}: ")


def check_size_of(config: GRMConfig, plan: Plan, size: Size, where: str = "") -> None:
    """Refuse a size with which rewards would go by one order of the responses.

    Raises:
        ConfigError: says what to write.
    """
    if plan.name == "pairs" and size.k > 1:
        _check_both_ways(config, size, where)
    if config.stop.name in _EARLY and plan.name != "each" and config.shuffles(size) < size.k:
        raise ConfigError(
            f"{where}permutations: with stop: {config.stop.name} the first samples may be all, so "
            f"each is shown an order of its own; expected k = {size.k}, got "
            f"{config.permutations}; leave permutations out"
        )


def _check_both_ways(config: GRMConfig, size: Size, where: str) -> None:
    if config.shuffles(size) < 2:
        raise ConfigError(
            f"{where}permutations: pairs are shown both ways round, so expected 2 or more of them "
            f"with k = {size.k}, got {config.permutations}; leave permutations out"
        )
    k_meta = size.k_meta or config.select.options.get("k_meta")
    if config.select.name == "meta_rm" and k_meta == 1:
        raise ConfigError(
            f"{where}k_meta: pairs are judged both ways round, and one judgment of each way votes "
            f"at least, so expected 2 or more with k = {size.k}, got 1"
        )


def size_of_first(config: GRMConfig, size: Size, drawn: int) -> Size:
    """The size of the first ``drawn`` samples: of ``k_meta``, whoever names it, the same share."""
    k_meta = size.k_meta or config.select.options.get("k_meta")
    if config.select.name == "meta_rm" and k_meta:
        size = Size(k=size.k, k_meta=min(size.k, k_meta))
    return size.first(drawn)


def ballots(
    config: GRMConfig, plan: Plan, valid: Sequence[Judgment], size: Size
) -> list[tuple[Sequence[Judgment], Size]]:
    """The judgments of one run, as the selector is asked about them, with the size it is told.

    Of a pair it chooses among those that show it the same way round, so that both ways vote.
    """
    ways = sorted({one.order for one in valid})
    if plan.name != "pairs" or config.select.name not in _CHOOSING:
        return [(valid, size)] if valid else []
    return [
        ([one for one in valid if one.order == way], _of_way(config, size, number))
        for number, way in enumerate(ways)
    ]


def _of_way(config: GRMConfig, size: Size, way: int) -> Size:
    """How many judgments of one way round (0 or 1) vote: half of ``k_meta``, and one at least."""
    k_meta = size.k_meta or config.select.options.get("k_meta") or max(2, size.k // 2)
    return Size(k=size.k, k_meta=min(size.k, max(1, (k_meta + 1 - way) // 2)))

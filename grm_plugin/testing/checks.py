"""What the claims of the adapters' contract are made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from grm_plugin.errors import GRMError
from grm_plugin.testing.host import SHOWN, Asked, Host, Rewards


def qualities(prompt: str, *points: int, **more: Any) -> Asked:
    """A prompt whose completions get so many points."""
    return Asked(prompt, [f"quality {point}" for point in points], **more)


def unit(*points: int) -> list[float]:
    """The rewards for so many points."""
    return [(point - 1) / 9 for point in points]


def check(found: Rewards, *expected: Sequence[float]) -> None:
    """Every reward is there and what it should be."""
    near = len(found) == len(expected) and all(map(_near, found, expected))
    assert near, f"expected the rewards {list(map(list, expected))}, got {found}"


def _near(found: Sequence[float | None], expected: Sequence[float]) -> bool:
    return len(found) == len(expected) and all(
        reward is not None and math.isclose(reward, number, abs_tol=1e-9)
        for reward, number in zip(found, expected, strict=True)
    )


def check_without_reward(host: Host, found: Sequence[float | None]) -> None:
    """None where the trainer can do without a reward; else one finite number for all."""
    if host.abstains:
        assert list(found) == [None] * len(found), f"expected None, got {found}"
        return
    numbers = [reward for reward in found if reward is not None and math.isfinite(reward)]
    told = f"expected one finite number for all, got {found}"
    assert len(numbers) == len(found) and len(set(numbers)) == 1, told


def check_refused(kind: type[GRMError], telling: str, work: Callable[[], object]) -> None:
    """``work`` ends with an error of this kind whose message holds ``telling``."""
    try:
        found = work()
    except GRMError as error:
        told = f"expected {kind.__name__} with {telling!r}, got {error!r}"
        assert isinstance(error, kind) and telling in str(error), told
    else:
        raise AssertionError(f"expected {kind.__name__} with {telling!r}, got {found}")


def responses_of(shown: str) -> str:
    """The responses in what the judge was shown."""
    return "\n".join(SHOWN.findall(shown))


def frame_of(shown: str) -> str:
    """What the judge was shown of the prompt and the reference."""
    return shown[shown.rfind("[Conversation]") :]

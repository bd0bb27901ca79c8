"""More samples after an alarm: the next size of the schedule, or twice as many."""

from __future__ import annotations

from collections.abc import Sequence

from grm_plugin.size import Size


def raised(size: Size, times: int, sizes: Sequence[Size], most: int) -> Size:
    """``size``, raised so many times, but not beyond ``most`` samples.

    Args:
        size: that was asked for.
        times: alarms that raised it.
        sizes: of the schedule.
        most: samples of a group; a larger size that was asked for stays as it is.

    >>> raised(Size(k=4), 2, (), 64).k, raised(Size(k=4), 2, [Size(k=2), Size(k=6)], 64).k
    (16, 12)
    >>> raised(Size(k=48, k_meta=24), 1, (), 64)
    Size(k=64, k_meta=32)
    """
    for _ in range(times):
        if size.k >= most:
            break
        later = min((one for one in sizes if one.k > size.k), key=lambda one: one.k, default=None)
        size = later if later and later.k <= most else _twice(size, most)
    return size


def _twice(size: Size, most: int) -> Size:
    k = min(2 * size.k, most)
    k_meta = size.k_meta and max(1, round(size.k_meta * k / size.k))
    return Size(k=k, k_meta=k_meta)

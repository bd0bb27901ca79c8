"""What is logged of a run that is watched, beside what its verdicts come to."""

from __future__ import annotations

from grm_plugin.hosts.metrics import Described
from grm_plugin.watching.watch import Watch

_ARTEFACT = "artefact_"
OWN = (
    Described(
        "control_gap_z",
        "z",
        "any",
        "mean of the rewards less that of the control judge, each in standard deviations from its "
        "mean at the start, over the groups of the newest step that both judged; with `watch`, "
        "once the start is known",
    ),
    Described("control_gap_error", "z", "0 or more", "its standard error over groups"),
    Described("alarms", "", "0 or more", "alarms of `watch` that began so far"),
    Described(
        f"{_ARTEFACT}opening",
        "",
        "0 to 1",
        "share of the responses of the step that begin with its most common words; high where "
        "answers honestly begin alike, too, so nothing alarms",
    ),
    Described(
        f"{_ARTEFACT}<name>",
        "",
        "0 to 1",
        "share of them that match a pattern of `watch.artefacts`, by its name",
    ),
)
"""What :func:`numbers` gives."""


def numbers(watch: Watch | None) -> dict[str, float]:
    """The numbers of a run now; NaN where one is not known, and none where nothing is watched."""
    if watch is None:
        return {}
    gap, seen = watch.gap, watch.seen
    named = {f"{_ARTEFACT}{name}": seen.share(name) for name in watch.options.artefacts}
    return {
        **({"control_gap_z": gap.value, "control_gap_error": gap.error} if watch.controls else {}),
        "alarms": float(len(watch.alarms)),
        f"{_ARTEFACT}opening": seen.openings.share,
        **named,
    }

"""The stages of recipes that lead to what is shipped; model cards tell them."""

from __future__ import annotations

JUDGE_STAGES = ("sample", "reject", "rft", "rl-data", "rl")
"""From the base to the judge; of `recipes/spct/reference/`, as the next."""

SCALAR_STAGES = ("groups", "scalar RM")
"""To the scalar RM, from groups that the checker has rated; of `recipes/coscaling/`."""

META_STAGES = ("teacher", "teacher-rows", "taught", "again", "meta-data", "meta")
"""To the meta RM, from the teacher's judgments and from the judge's."""

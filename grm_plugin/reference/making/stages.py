"""The stages of `recipes/spct/reference/` that lead to what is shipped; model cards tell them."""

from __future__ import annotations

JUDGE_STAGES = ("sample", "reject", "rft", "rl-data", "rl")
"""From the base to the judge."""

META_STAGES = ("teacher", "teacher-rows", "taught", "again", "meta-data", "meta")
"""To the meta RM, from the teacher's judgments and from the judge's."""

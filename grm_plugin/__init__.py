"""DeepSeek-GRM scoring as a plug-in reward module for RLHF trainers."""

from __future__ import annotations

from grm_plugin.config import GRMConfig
from grm_plugin.grm import GRM
from grm_plugin.hookspecs import hookimpl
from grm_plugin.moved import refuse_old_names
from grm_plugin.size import Size
from grm_plugin.types import Group, Judgment, Message, Verdict

__all__ = ["GRM", "GRMConfig", "Group", "Judgment", "Message", "Size", "Verdict", "hookimpl"]
refuse_old_names()

__version__ = "0.1.0"

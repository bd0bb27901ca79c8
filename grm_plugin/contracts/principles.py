"""Interim."""

from grm_plugin.contracts.boxed import parse_principles

__all__ = ["parse_principles"]

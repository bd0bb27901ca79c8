"""Verdicts counted and told, for people."""

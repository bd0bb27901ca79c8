"""Contracts against an independent oracle on generated judge texts."""

"""The judge from its start to its end, and what is asked of it meanwhile."""

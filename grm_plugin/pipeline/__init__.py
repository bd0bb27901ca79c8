"""From a group to a verdict: render, draw, read, select, settle."""

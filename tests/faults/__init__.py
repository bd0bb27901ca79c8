"""Judges, callers and disks that misbehave: `make test-faults`."""

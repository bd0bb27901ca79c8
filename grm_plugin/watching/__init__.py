"""Watching a run: whether rewards leave what a control judge says, and what the responses share.

All of it is pure and streams: verdicts go in, in memory that does not grow, numbers and alarms come
out. It decides no reward.
"""

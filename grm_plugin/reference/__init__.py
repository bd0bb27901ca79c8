"""The embedded reference judge: a tiny real generative reward model for verifiable word-list tasks.

Task generation, responder, checker and teacher are plain Python and pure functions of a seed; only
`training` and `generation` need torch, and importing this package imports neither.
"""

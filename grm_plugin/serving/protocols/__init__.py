"""The protocols of the reward server."""

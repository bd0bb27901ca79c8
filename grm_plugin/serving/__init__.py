"""The reward server: a judge behind HTTP, for trainers that score over the network.

``create_app`` in :mod:`grm_plugin.serving.app` makes the application, ``serve`` in
:mod:`grm_plugin.serving.server` runs it. Needs the extra ``serve``.
"""

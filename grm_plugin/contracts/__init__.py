"""How a judge answers: one strict reader for each form."""

from grm_plugin.contracts.boxed import parse_scores
from grm_plugin.contracts.contract import Reading
from grm_plugin.hookspecs import hookimpl


class Boxed:
    shows = "list"
    stop = ()
    logprobs = 0
    forms = ()

    def __init__(self, options, limits): ...
    def read(self, answer):
        return Reading(parse_scores(answer.text, n=answer.n, scale=answer.scale))


@hookimpl
def grm_register_contracts(register):
    register("boxed", Boxed)

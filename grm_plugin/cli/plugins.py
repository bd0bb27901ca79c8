"""``grm plugins``: what is installed and what it offers."""

from __future__ import annotations

from grm_plugin.plugins import installed
from grm_plugin.report.terminal import out, plain_table, printable


def plugins() -> None:
    """List the plug-ins, where they come from, and what each offers."""
    found = installed()
    offers = plain_table("kind", "name", "offered by", title="what a configuration can name")
    for offer in found.offers():
        offers.add_row(offer.kind, printable(offer.name), printable(offer.plugin))
    table = plain_table("plug-in", "from", title="plug-ins")
    for plugin in found.plugins:
        table.add_row(printable(plugin.name), printable(plugin.source))
    for broken in found.broken:
        table.add_row(
            printable(broken.name), printable(f"{broken.source}: broken: {broken.problem}")
        )
    out.print(table, "", offers, sep="\n")

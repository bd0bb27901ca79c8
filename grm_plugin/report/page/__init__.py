"""One HTML file to look at verdicts in: no network, hostile texts, a hundred thousand verdicts.

Needs jinja2, so import it when a page is to be written.
"""

from grm_plugin.report.page.writing import write_page

__all__ = ["write_page"]

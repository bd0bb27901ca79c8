"""Which criteria judges go by, where these mislead them, and how the judged do by each."""

from grm_plugin.report.criteria.collecting import Criteria, criteria_of
from grm_plugin.report.criteria.paging import for_page

__all__ = ["Criteria", "criteria_of", "for_page"]

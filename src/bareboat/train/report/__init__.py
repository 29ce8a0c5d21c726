"""A training -> one page of HTML: no script, nothing from elsewhere, light and dark."""

from bareboat.train.report.page import MOST_BYTES, report_page

__all__ = ["MOST_BYTES", "report_page"]

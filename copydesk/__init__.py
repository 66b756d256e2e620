"""copydesk: the copy desk for scraped news. `clean` one page, or `clean_pages` of a whole batch."""

from copydesk.cleaning import Cleaned, Desk, clean, clean_pages, open_desk

__all__ = ["Cleaned", "Desk", "clean", "clean_pages", "open_desk"]
__version__ = "0.1.0"

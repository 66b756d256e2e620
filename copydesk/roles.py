"""The parts a piece of a page can play, as the design names them."""

from __future__ import annotations

FIELDS = (
    "headline", "kicker", "standfirst", "byline", "dateline", "published", "modified", "caption", "credit",
    "subheading", "body", "section",
)  # fmt: skip
"""Roles whose text becomes a field of the article."""
BODY_ROLES = ("body", "subheading")
"""Those that its body is made of."""

FURNITURE = (
    "masthead", "navigation", "share", "related", "most_read", "newsletter", "advert", "comments", "contact",
    "legal", "paywall", "author_bio", "media", "repeat", "other",
)  # fmt: skip
"""Roles that are not the article. `repeat` is the second copy of something kept."""

ROLES = frozenset(FIELDS + FURNITURE)

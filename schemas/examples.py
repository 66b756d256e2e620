"""One row of each dataset, as the data dictionary shows it: invented, and whole, so that it passes its own contract."""

from __future__ import annotations

import datetime as dt
from typing import Any

_RULESET = "3.62ca0097-a31f326f97e7-8e5d8d5c7752"
_DOC_ID = "2019/night-bus.txt"

EXAMPLES: dict[str, dict[str, Any]] = {
    "articles": {
        "doc_id": _DOC_ID,
        "url": "https://hani.example/night-bus",
        "publisher": "The Hankyoreh",
        "language": "en",
        "headline": "Night bus drivers vote to keep the line",
        "kicker": "News Focus",
        "standfirst": "A trial of three months is in its third year.",
        "authors": [
            {
                "name": "Cho Dan-bi",
                "kind": "person",
                "role": "staff reporter",
                "email": "danbi@hani.example",
                "affiliation": None,
            }
        ],
        "byline_raw": ["By Cho Dan-bi, staff reporter"],
        "published_on": dt.date(2019, 3, 12),
        "published_at": dt.datetime(2019, 3, 12, 8, 5, tzinfo=dt.UTC),
        "published_precision": "minute",
        "published_zone": "KST",
        "published_zone_source": "stated",
        "published_raw": "Mar.12,2019 17:05 KST",
        "modified_on": dt.date(2019, 3, 12),
        "modified_at": dt.datetime(2019, 3, 12, 8, 41, tzinfo=dt.UTC),
        "modified_raw": "Mar.12,2019 17:41 KST",
        "dateline": "GUREUM, March 12 (Yonhap)",
        "captions": [{"text": "The N7 waits at Gureumjae Station.", "credit": "Nam Bo-ram/The Hankyoreh"}],
        "section": "National",
        "tags": ["transport", "night buses"],
        "body": "Drivers on the N7 night bus have voted to keep working the line.\n\nThe vote was taken on Monday.",
        "word_count": 19,
        "from_metadata": [{"field": "modified", "source": "json-ld"}],
        "warnings": ["byline_conflict"],
        "content_hash": "ce3f490328595360ea5e6ef823c0355a",
        "text_hash": "35ba76b293c11793855e2f904803cbf9",
        "body_hash": "6515d5bd1d6349e637a2a1373545c4e0",
        "source": _DOC_ID,
        "ruleset": _RULESET,
    },
    "ledger": {
        "doc_id": _DOC_ID,
        "line_no": 24,
        "char_start": 1502,
        "char_end": 1528,
        "role": "related",
        "rule": "related_header",
        "confidence": 0.9,
        "text": "• City to try out night buses",
    },
    "quarantine": {
        "doc_id": "2019/front-page.txt",
        "source": "2019/front-page.txt",
        "content_hash": "2222f6f06f98bd7ae3d1760578e90df8",
        "text": "Skip to content\n\nHome\nNews\nSport",
        "raw": None,
        "reasons": [{"check": "not_an_article", "column": "body", "value": "4 lines, 0 paragraphs"}],
        "ruleset": _RULESET,
    },
    "duplicates": {
        "doc_id": "2019/night-bus-update.txt",
        "duplicate_of": _DOC_ID,
        "kind": "near",
        "similarity": 0.875,
    },
    "runs": {
        "run_id": "20261122T032255Z-64f5",
        "started_at": dt.datetime(2026, 11, 22, 3, 22, 55, tzinfo=dt.UTC),
        "finished_at": dt.datetime(2026, 11, 22, 3, 22, 59, tzinfo=dt.UTC),
        "verdict": "passed",
        "source": "crawl/",
        "pages_in": 32,
        "articles": 30,
        "quarantined": 2,
        "duplicates_exact": 1,
        "duplicates_near": 3,
        "bytes_in": 53_381,
        "bytes_out": 76_939,
        "characters_in": 39_998,
        "characters_kept": 35_079,
        "characters_furniture": 4_483,
        "characters_quarantined": 436,
        "by_publisher": [
            {
                "publisher": "The Hankyoreh",
                "pages": 3,
                "articles": 3,
                "quarantined": 0,
                "with_headline": 3,
                "with_byline": 3,
                "with_day": 3,
                "with_instant": 3,
                "characters_in": 4_997,
                "characters_furniture": 598,
            }
        ],
        "by_role": [{"role": "body", "spans": 278, "characters": 29_685, "pages": 30}],
        "failures": [{"name": "not_an_article", "pages": 2}],
        "warnings": [{"name": "zone_unknown", "pages": 8}],
        "ruleset": _RULESET,
        "versions": [{"name": "copydesk", "version": "0.1.0"}],
        "steps": [{"step": "clean", "seconds": 0.488}],
        "seconds": 4.1,
        "by_rule": [{"rule": "paragraph", "role": "body", "spans": 264, "characters": 28_901, "pages": 30}],
    },
}
"""By dataset and column. `raw` of a quarantined page stands empty: bytes are no reading matter."""

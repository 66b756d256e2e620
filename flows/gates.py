"""Quality gates: what must hold for a run to be published, and what is only said."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from flows.drift import told
from flows.figures import Figures

Verdict = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Gates:
    """Thresholds of a run. Shares are of all pages (0 to 1)."""

    max_quarantined: float = 0.5
    warn_quarantined: float = 0.2
    warn_without_date: float = 0.8
    warn_without_headline: float = 0.5


def judge(figures: Figures, gates: Gates, furniture: Sequence[Mapping[str, Any]] = ()) -> Verdict:
    """The verdict on a run: `status` (passed, warned, failed), a sentence for a person, and each gate's figure.

    `furniture` is from `drift.site_furniture`.
    """
    pages, articles = figures["pages_in"], figures["articles"]
    missing = {w["warning"]: w["pages"] for w in figures["warnings"]}

    def share(part: int, whole: int) -> float:
        return part / whole if whole else 0.0

    quarantined = share(figures["quarantined"], pages)
    rows = [
        _gate("some_articles", "fail", articles, 1, articles >= 1, "not one page became an article"),
        _gate("quarantined_at_most", "fail", quarantined, gates.max_quarantined, quarantined <= gates.max_quarantined,
              f"{quarantined:.1%} of the pages were quarantined"),
        _gate("quarantined_usual", "warn", quarantined, gates.warn_quarantined, quarantined <= gates.warn_quarantined,
              f"{quarantined:.1%} of the pages were quarantined"),
    ]  # fmt: skip
    for name, warning, limit, thing in (
        ("dates_found", "no_date", gates.warn_without_date, "date"),
        ("headlines_found", "no_headline", gates.warn_without_headline, "headline"),
    ):
        without = share(missing.get(warning, 0), articles)
        rows.append(
            _gate(name, "warn", without, limit, without <= limit, f"{without:.1%} of the articles have no {thing}")
        )
    if furniture:
        changed = [f for f in furniture if f["changed"]]
        rows.append(_gate("furniture_as_learnt", "warn", len(changed), 0, not changed, told(changed)))
    failed = [g for g in rows if not g["passed"] and g["level"] == "fail"]
    warned = [g for g in rows if not g["passed"] and g["level"] == "warn"]
    status = "failed" if failed else "warned" if warned else "passed"
    sentence = f"{articles:,} of {pages:,} pages became articles; {figures['quarantined']:,} wait in the quarantine."
    if status != "passed":
        sentence += " " + "; ".join(g["message"] for g in failed or warned) + "."
    return {"status": status, "sentence": sentence, "gates": rows}


def _gate(name: str, level: str, value: float, threshold: float, passed: bool, message: str) -> dict[str, Any]:
    return {"gate": name, "level": level, "value": value, "threshold": threshold, "passed": passed, "message": message}

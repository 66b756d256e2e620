"""Draws docs/report.png for the README: a run over `seeds/`, its report opened in Chromium. `make picture`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "report.png"
SIZE = "1180,1290"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Run twice, so that there is a run to compare with, and photograph the head of the second report."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("docs/picture.py needs Chromium (Debian: apt-get install chromium)")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        home = {**os.environ, "PREFECT_HOME": str(Path(folder) / "prefect")}
        for _ in range(2):
            words = [sys.executable, "-m", "flows.cli", "run", "seeds", "--output", str(output)]
            subprocess.run(words, cwd=ROOT, env=home, check=True, stdout=subprocess.DEVNULL)
        page = (output / "reports" / "latest" / "report.html").resolve()
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={SIZE}")
        profile = f"--user-data-dir={folder}/chromium"
        words = [browser, *options, profile, f"--screenshot={PICTURE}", page.as_uri()]
        subprocess.run(words, check=True, capture_output=True)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

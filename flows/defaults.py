"""What the command line and the flow do where they are not told otherwise. Imports nothing: `--help` stays quick."""

from __future__ import annotations

import os

WORKERS = min(4, os.cpu_count() or 1)
"""Shards that are cleaned at once."""
KEEP = 5
"""Snapshots that stay."""

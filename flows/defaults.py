"""What the command line and the flow do where they are not told otherwise. Imports nothing: `--help` stays quick."""

from __future__ import annotations

WORKERS = 1
"""Shards that are cleaned at once, each on a core of its own."""
KEEP = 5
"""Snapshots that stay."""

"""The store: snapshots of all datasets, published at once (law 6).

output/
  .copydesk            the marker: this folder is ours
  .lock                one writer at a time
  .snapshots/<run>/    <dataset>/*.parquet and manifest.json
  current              -> .snapshots/<run>, swapped by one atomic rename
  articles, ledger ... -> current/<dataset>
  reports/<run>/, reports/latest
"""

from flows.snapshots.files import check_files
from flows.snapshots.store import SnapshotStore, Staging

__all__ = ["SnapshotStore", "Staging", "check_files"]

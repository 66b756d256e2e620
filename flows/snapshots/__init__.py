"""The store: snapshots of all datasets, published at once (law 6).

output/
  .copydesk            the marker: this folder is ours
  .lock                one writer at a time
  .snapshots/<run>/    <dataset>/*.parquet, .state/ and manifest.json
  current              -> .snapshots/<run>, swapped by one atomic rename
  articles, ledger ... -> current/<dataset>
  reports/<run>/, reports/latest

s3://bucket/prefix/
  .copydesk, .lock     the same, as objects that are written under a condition
  snapshots/<run>/     <dataset>/*.parquet, .state/ and manifest.json, written last
  current.json         the pointer: which snapshot is current, swapped by one conditional write
  reports/<run>/, reports/latest/
"""

from flows.snapshots.files import STATE, check_files
from flows.snapshots.store import SnapshotStore, Staging, is_bucket

__all__ = ["STATE", "SnapshotStore", "Staging", "check_files", "is_bucket"]

"""The contracts: a pandera schema for what comes in and for every dataset that goes out."""

from schemas.articles import ARTICLES
from schemas.contract import SCHEMA_VERSION, Dataset, SchemaError
from schemas.duplicates import DUPLICATES
from schemas.ledger import LEDGER
from schemas.pages import PAGES
from schemas.quarantine import QUARANTINE
from schemas.runs import RUNS

DATASETS = (ARTICLES, LEDGER, QUARANTINE, DUPLICATES, RUNS)

__all__ = [
    "ARTICLES",
    "DATASETS",
    "DUPLICATES",
    "LEDGER",
    "PAGES",
    "QUARANTINE",
    "RUNS",
    "SCHEMA_VERSION",
    "Dataset",
    "SchemaError",
]

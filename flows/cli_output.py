"""The commands over what was published. They are hung into `copydesk` by `flows.cli`; heavy imports wait as there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flows.errors import UsageError

Output = Annotated[Path, typer.Argument(help="An output folder of `copydesk run`.")]


def verify(output: Output = Path("output")) -> None:
    """Prove laws 1 to 4 afresh from the published files alone, and every file against its manifest.

    Prints one line a law, and one line a breach; exits 1 where there is any.
    """
    from flows.verify import verify_output  # noqa: PLC0415

    raise typer.Exit(verify_output(output))


def schema(
    dataset: Annotated[Optional[str], typer.Argument(help="One dataset; all, where none is named.")] = None,  # noqa: UP045
    as_json: Annotated[bool, typer.Option("--json", help="As JSON: the whole data dictionary, for programs.")] = False,
    check: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--check", metavar="PATH", help="Hold an output folder, a dataset's folder or a file against it."),
    ] = None,
) -> None:
    """Print the schema of the published datasets, or check files against it.

    Prints each column with its type, whether it may be null, what it says, its words where they are few, and an
    example. With --check, prints a line for each difference, and exits 1 where there is any: columns first, and
    where these are right the rows.

    Examples:

        copydesk schema articles

        copydesk schema --json > schema.json

        copydesk schema --check output

        copydesk schema articles --check export/articles.parquet
    """
    from flows.schema_view import check_schema, print_schema  # noqa: PLC0415

    if check is None:
        print_schema(dataset, as_document=as_json)
    elif as_json:
        raise UsageError("--json prints the schema and --check compares files with it; choose one")
    else:
        raise typer.Exit(check_schema(check, dataset))


def export(
    output: Output,
    target: Annotated[
        str, typer.Argument(metavar="FILE", help="The file to write, packed by its ending; `-`: standard output.")
    ],
    unique: Annotated[
        bool, typer.Option("--unique", help="Leave out what repeats another article, exactly or nearly.")
    ] = False,
    to: Annotated[str, typer.Option("--to", metavar="FORM", help="`jsonl` for corpus tools, or `json-ld`.")] = "jsonl",
) -> None:
    """Write the published articles in another form, one JSON object a line.

    `jsonl` is the form that datatrove, dolma and other corpus tools read: `id`, `text`, and every other column below
    `metadata`. `json-ld` is a schema.org NewsArticle.

    Examples:

        copydesk export output articles.jsonl.zst

        copydesk export output articles.json.gz --to json-ld

        copydesk export output - --unique | head -1
    """
    from flows.export import export as export_articles  # noqa: PLC0415

    count = export_articles(output, target, to, unique=unique)
    if target != "-":
        typer.echo(f"{count:,} articles as {to} in {target}")

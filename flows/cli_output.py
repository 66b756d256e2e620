"""The commands over what was published. They are hung into `copydesk` by `flows.cli`; heavy imports wait as there."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from flows.errors import UsageError

snapshots_app = typer.Typer(
    no_args_is_help=True, help="What was published and is still there: list it, compare two states, go back to one."
)

Output = Annotated[str, typer.Argument(help="An output of `copydesk run`: a folder, or s3://bucket/prefix.")]

OutputOption = Annotated[
    str, typer.Option("--output", "-o", help="An output of `copydesk run`: a folder, or s3://bucket/prefix.")
]


def verify(output: Output = "output") -> None:
    """Prove laws 1 to 4 afresh from the published files alone, and every file against its manifest.

    Prints one line a law, and one line a breach; exits 1 where there is any.
    """
    from flows.verify import verify_output  # noqa: PLC0415

    raise typer.Exit(verify_output(output))


def schema(
    dataset: Annotated[Optional[str], typer.Argument(help="One dataset; all, where none is named.")] = None,  # noqa: UP045
    as_json: Annotated[bool, typer.Option("--json", help="As JSON: the whole data dictionary, for programs.")] = False,
    check: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--check", metavar="PATH", help="Hold an output, the folder of a dataset or a file against it."),
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


@snapshots_app.command("list")
def snapshots_list(output: Output = "output") -> None:
    """List the snapshots, newest last, and which is current.

    `own` are the bytes that no other snapshot has, and that would be free without it; `shared` are those of part files
    that it has in common with others. `copydesk run --keep N` says how many stay.

    Example: copydesk snapshots list output
    """
    from flows.snapshots_view import list_snapshots  # noqa: PLC0415

    list_snapshots(output)


@snapshots_app.command("diff")
def snapshots_diff(
    old: Annotated[Optional[str], typer.Argument(help="A run; the one before NEW, where none is named.")] = None,  # noqa: UP045
    new: Annotated[Optional[str], typer.Argument(help="A run; the current one, where none is named.")] = None,  # noqa: UP045
    output: OutputOption = "output",
) -> None:
    """Say which rows were added, changed and gone from one snapshot to another, by dataset and by field.

    A run is named by its id, or by any part of it that no other has. Part files that both have are not read.

    Examples:

        copydesk snapshots diff

        copydesk snapshots diff 64f5 -o output
    """
    from flows.snapshots_view import diff_snapshots  # noqa: PLC0415

    diff_snapshots(output, old, new)


@snapshots_app.command("rollback")
def snapshots_rollback(
    run: Annotated[Optional[str], typer.Argument(help="A run; else the one before the current.")] = None,  # noqa: UP045
    output: OutputOption = "output",
) -> None:
    """Make an older snapshot the current one, in one step, after a look at its files.

    Readers see it at once, and whole. The snapshot that was current stays and can be brought back the same way; the
    next run goes on from the one that is current then.

    Examples:

        copydesk snapshots rollback

        copydesk snapshots rollback 64f5 -o output
    """
    from flows.snapshots_view import rollback  # noqa: PLC0415

    rollback(output, run)

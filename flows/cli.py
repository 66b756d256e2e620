"""The command `copydesk`. Heavy imports wait until a command needs them, so that `--help` answers at once."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn, Optional

import typer

from flows import cli_output
from flows.cli_operate import add_doctor, add_serve, flow_parameters, operate
from flows.defaults import KEEP, WORKERS
from flows.errors import CopydeskError

app = typer.Typer(
    name="copydesk",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="""The copy desk for scraped news: pages as crawlers leave them in, clean and audited Parquet out.

    Start here:

        copydesk run pages/ -o output     clean a folder of .txt pages
        copydesk explain pages/one.txt    what was decided on one page, and why
        copydesk verify output            prove the published files afresh

    Exit codes: 0 good; 1 a gate or a check failed; 2 wrong usage; 3 not finished.""",
)
rules_app = typer.Typer(
    no_args_is_help=True, help="The rules that decide what furniture is: list, test, and what they hit."
)
app.add_typer(rules_app, name="rules")
app.add_typer(operate)

TextColumn = Annotated[
    Optional[str],  # noqa: UP045  (typer reads it)
    typer.Option(
        "--text-column", metavar="NAME", help="Column or key that holds a page's text; `text`, where none is named."
    ),
]
HtmlColumn = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--html-column",
        metavar="NAME",
        help="Column or key that holds a page's HTML; `html`, where a table has no `text`. With both: HTML first.",
    ),
]
IdColumn = Annotated[
    Optional[str],  # noqa: UP045  (typer reads it)
    typer.Option(
        "--id-column", metavar="NAME", help="Column or key that holds a page's id; without it, file and line."
    ),
]
UrlColumn = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--url-column", metavar="NAME", help="Column or key that holds a page's URL; it names the publisher."),
]
FetchedColumn = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--fetched-column",
        metavar="NAME",
        help="Column or key that holds when a page was fetched: '3 hours ago' counts from it.",
    ),
]
RuleFolders = Annotated[
    list[Path],
    typer.Option("--rules", metavar="FOLDER", help="Folder of your own rule files (*.toml), beside ours. Repeatable."),
]
ProfileFolders = Annotated[
    list[Path],
    typer.Option(
        "--publishers",
        metavar="FOLDER",
        help="Folder of your own publisher profiles (*.toml), beside ours. Repeatable.",
    ),
]
MemoryFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--memory", metavar="FILE", help="Site memory that `copydesk learn` made: lines that recur on a site's pages."
    ),
]

LogFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--log-json", metavar="FILE", envvar="COPYDESK_LOG_JSON", help="Append the run's log: a JSON object a line."
    ),
]
MetricsFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--metrics",
        metavar="FILE",
        envvar="COPYDESK_METRICS",
        help="Write figures for node exporter's textfile collector: name it *.prom.",
    ),
]
Workers = Annotated[
    int, typer.Option("--workers", "-w", min=1, help="Shards cleaned at once, each by a process on a core of its own.")
]
DaskCluster = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--dask",
        metavar="ADDRESS",
        help="Clean shards on a Dask cluster: the address of its scheduler, or `local:4` for one of four workers here.",
    ),
]
GatesFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--gates", metavar="FILE", help="Thresholds of your own; `copydesk gates` prints ours to change."),
]
MaxQuarantined = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--max-quarantined", min=0, max=1, help="Share of pages that may be quarantined before the run fails."
    ),
]
PublishFailed = Annotated[bool, typer.Option("--publish-failed", help="Publish even where a quality gate fails.")]
Keep = Annotated[int, typer.Option("--keep", metavar="N", min=1, help="Snapshots that stay, this one among them.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show the log of the run.")]


@app.command()
def run(
    source: Annotated[str, typer.Argument(
            help="A file, a folder, a pattern ('crawl/**/*.html.gz'), a URL (s3://, https://) or `-`: text, HTML, JSON"
            " lines, CSV, Parquet, Arrow, WARC or WET, also as .gz, .zst, .xz, .bz2 or .zip."
        ),],
    output: Annotated[
        str,
        typer.Option("--output", "-o", help="Folder to publish in, made where there is none, or s3://bucket/prefix."),
    ] = "output",
    text_column: TextColumn = None,
    html_column: HtmlColumn = None,
    id_column: IdColumn = None,
    url_column: UrlColumn = None,
    fetched_column: FetchedColumn = None,
    rules: RuleFolders = [],  # noqa: B006
    publishers: ProfileFolders = [],  # noqa: B006
    memory: MemoryFile = None,
    learn: Annotated[
        bool, typer.Option("--learn", help="Learn a site memory from these pages first; it is kept beside the report.")
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Drop pages that are not in SOURCE; without it they stay.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Clean every page anew, and keep nothing but the history of runs.")
    ] = False,
    workers: Workers = WORKERS,
    dask: DaskCluster = None,
    gates: GatesFile = None,
    max_quarantined: MaxQuarantined = None,
    publish_failed: PublishFailed = False,
    keep: Keep = KEEP,
    verbose: Verbose = False,
    log_json: LogFile = None,
    metrics: MetricsFile = None,
) -> None:
    """Clean pages and publish them as Parquet, with a report.

    Writes OUTPUT/articles, ledger, quarantine, duplicates and runs (Parquet), and OUTPUT/reports/latest/report.html.
    What was published before stays readable until the new snapshot is whole, and stays if the run fails.

    The next run into OUTPUT cleans only pages that are new or changed; files that are as they were are not even read.
    Other rules, profiles or memory clean all pages anew, and the run says so before it does. Pages that are not in
    SOURCE keep their rows: so another SOURCE adds its pages, and --prune drops those of all others.

    Examples:

        copydesk run seeds

        copydesk run pages.parquet --id-column id --url-column url -o clean

        copydesk run crawl.jsonl.gz --html-column content --workers 2

        copydesk run 's3://bucket/CC-NEWS-2024*.warc.gz'

        copydesk run crawl/ --memory memory.toml

        copydesk run crawl/ --prune

        copydesk run crawl/ -o s3://bucket/news

        copydesk run 's3://bucket/crawl/' -o /shared/clean --dask tcp://10.0.0.5:8786
    """
    options = dict(locals())  # first of all: nothing else is local yet
    from flows.launch import launch, name_files  # noqa: PLC0415

    name_files(log_json=log_json, metrics=metrics)
    launch(flow_parameters(options), verbose=verbose)


add_serve(app, run)
add_doctor(app, run)


@app.command()
def replay(
    output: cli_output.Output = "output",
    rules: RuleFolders = [],  # noqa: B006
    publishers: ProfileFolders = [],  # noqa: B006
    memory: MemoryFile = None,
    workers: Workers = WORKERS,
    dask: DaskCluster = None,
    gates: GatesFile = None,
    max_quarantined: MaxQuarantined = None,
    publish_failed: PublishFailed = False,
    keep: Keep = KEEP,
    verbose: Verbose = False,
    log_json: LogFile = None,
    metrics: MetricsFile = None,
) -> None:
    """Clean the pages that wait in the quarantine again, with the rules, profiles and memory of today.

    What passes moves to the articles, what fails stays with its new reasons, and a new snapshot is published with a
    report. The source is not needed: the quarantine has the pages whole. All other rows stay as they are.

    Example: copydesk replay clean --rules my-rules
    """
    from flows.launch import launch, name_files  # noqa: PLC0415

    name_files(log_json=log_json, metrics=metrics)
    launch(
        {
            "source": f"{output}/quarantine", "output": output, **_columns(None, None, None, None, None),
            "rules": list(rules), "publishers": list(publishers), "memory": memory, "learn": False, "fresh": False,
            "prune": False, "replay": True, "gates": gates, "max_quarantined": max_quarantined,
            "publish_failed": publish_failed, "keep": keep, "workers": workers, "dask": dask,
        },
        verbose=verbose,
    )  # fmt: skip


@app.command()
def learn(
    source: Annotated[str, typer.Argument(help="Pages to learn from: as for `copydesk run`.")],
    memory: Annotated[
        Path, typer.Option("--memory", metavar="FILE", help="The file to write; what you judged in it before is kept.")
    ],
    text_column: TextColumn = None,
    html_column: HtmlColumn = None,
    id_column: IdColumn = None,
    url_column: UrlColumn = None,
    fetched_column: FetchedColumn = None,
    rules: RuleFolders = [],  # noqa: B006
    publishers: ProfileFolders = [],  # noqa: B006
    propose: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--propose", metavar="FOLDER", help="Also write a publisher profile for each site with these lines."
        ),
    ] = None,
) -> None:
    """Learn which lines recur on the pages of each site, and so are menus, boxes and notices rather than articles.

    Writes a site memory: a text file to read, correct and give to `copydesk run --memory FILE`. In it, each line has a
    role and a status; set `status = "rejected"` where a line is part of the articles after all. A page's site is the
    host of its URL, or the publisher whose profile it matches; pages without either teach nothing.

    All counts are made anew from the pages given, so give all that you have, and again when the site changes. The same
    pages give the same file in any order.

    Examples:

        copydesk learn crawl.parquet --url-column url --memory memory.toml

        copydesk run crawl.parquet --url-column url --memory memory.toml

        copydesk learn crawl.parquet --url-column url --memory memory.toml --propose my-publishers
    """
    from flows.learn import learn as learn_pages  # noqa: PLC0415

    columns = _columns(text_column, html_column, id_column, url_column, fetched_column)
    learn_pages(source, columns, rules, publishers, memory, propose)


@app.command()
def explain(
    page: Annotated[str, typer.Argument(help="A file of text or HTML, or `-` for standard input.")],
    url: Annotated[Optional[str], typer.Option(help="The page's URL: it names the publisher.")] = None,  # noqa: UP045
    rules: RuleFolders = [],  # noqa: B006
    publishers: ProfileFolders = [],  # noqa: B006
    memory: MemoryFile = None,
    width: Annotated[int, typer.Option(help="Columns to print; 0: as wide as the terminal.")] = 0,
) -> None:
    """Print one page with every span coloured by its role, and the rule that decided it in the margin.

    Nothing is written. What is kept stands plain or coloured, what is furniture is struck through.

    Example: copydesk explain seeds/000_kh-island-ferries.txt
    """
    from flows.explain import explain_page  # noqa: PLC0415

    explain_page(page, url=url, rules=rules, publishers=publishers, memory=memory, width=width)


@rules_app.command("list")
def rules_list(
    role: Annotated[Optional[str], typer.Option(help="Only rules of this role.")] = None,  # noqa: UP045
    rules: RuleFolders = [],  # noqa: B006
) -> None:
    """List every rule: its role, its name, and why it is."""
    from flows.rules_view import list_rules  # noqa: PLC0415

    list_rules(role, rules)


@rules_app.command("test")
def rules_test(rules: RuleFolders = []) -> None:  # noqa: B006
    """Load every rule strictly and check its own examples."""
    from flows.rules_view import test_rules  # noqa: PLC0415

    test_rules(rules)


@rules_app.command("hits")
def rules_hits(
    source: Annotated[str, typer.Argument(help="What to clean: as for `copydesk run`. Nothing is written.")],
    text_column: TextColumn = None,
    html_column: HtmlColumn = None,
    id_column: IdColumn = None,
    url_column: UrlColumn = None,
    fetched_column: FetchedColumn = None,
    rules: RuleFolders = [],  # noqa: B006
    publishers: ProfileFolders = [],  # noqa: B006
) -> None:
    """Show what each rule decides on these pages: spans, pages, and an example."""
    from flows.rules_view import show_hits  # noqa: PLC0415

    columns = _columns(text_column, html_column, id_column, url_column, fetched_column)
    show_hits(source, columns, rules, publishers)


app.command()(cli_output.verify)
app.command()(cli_output.schema)
app.command()(cli_output.export)
app.add_typer(cli_output.snapshots_app, name="snapshots")


def _columns(
    text: str | None, html: str | None, id_: str | None, url: str | None, fetched: str | None
) -> dict[str, str | None]:
    return {
        "text_column": text, "html_column": html, "id_column": id_, "url_column": url, "fetched_column": fetched,
    }  # fmt: skip


def main() -> None:
    """Run the command line; errors a person can mend are one line, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that is no UTF-8, a console that is ASCII: print it somehow
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(prog_name="copydesk", standalone_mode=False)
        sys.stdout.flush()
    except CopydeskError as error:
        _say_and_leave(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        _say_and_leave("stopped", 3)
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except Exception as error:
        if hasattr(error, "format_message"):  # typer's own errors: their class moved from version to version
            context = getattr(error, "ctx", None)
            message = error.format_message().rstrip(".")
            _say_and_leave(
                f"{message}; see: {context.command_path if context else 'copydesk'} --help" if message else "", 2
            )
        if os.environ.get("COPYDESK_DEBUG"):
            raise
        first = (str(error).splitlines() or [""])[0]
        _say_and_leave(f"{type(error).__name__}: {first} (COPYDESK_DEBUG=1 shows where)", 3)
    raise SystemExit(code if isinstance(code, int) else 0)


def _say_and_leave(message: str, code: int) -> NoReturn:
    if message:
        print(f"copydesk: {message}", file=sys.stderr, flush=True)
    raise SystemExit(code)


if __name__ == "__main__":
    main()

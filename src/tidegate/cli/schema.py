"""`tidegate schema`: the JSON Schema of a document."""

from __future__ import annotations

import click

from tidegate.cli.options import write_result
from tidegate.report.schema import DOCUMENTS, render_schema


@click.command(name="schema")
@click.argument("document", type=click.Choice(sorted(DOCUMENTS)))
def schema(document: str) -> None:
    """The JSON Schema of a document that Tidegate writes."""
    write_result(render_schema(document))

"""`tidegate explain ID`: what a rule or a finding means."""

from __future__ import annotations

import click

from tidegate.cli.options import write_result
from tidegate.policy.explanation import page_ids, read_page
from tidegate.report.policy_text import render_page, render_pages


@click.command(name="explain")
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--markdown", is_flag=True, help="The page as it is kept, in Markdown.")
def explain(id_: str | None, markdown: bool) -> None:
    """What a rule or a finding means, why it is there, and how to satisfy it. Without ID: all of them."""
    if id_ is None:
        write_result(render_pages({known: read_page(known) for known in page_ids()}))
        return
    page = read_page(id_)
    write_result(page if markdown else render_page(page))

"""The published schemas are current, and everything that is written fits them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from tests.report import samples
from tidegate.cli.schema import DOCUMENTS, schema_of
from tidegate.cli.schema import schema as command
from tidegate.facts import SECTIONS, Facts, to_document, to_json
from tidegate.report.document import Check, render_json
from tidegate.report.style import PLAIN

SAMPLES = (samples.held, samples.passing, samples.blocked, samples.bare_diff, samples.hostile)


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_schema_is_one(name: str) -> None:
    schema = json.loads(schema_of(name))
    jsonschema.Draft202012Validator.check_schema(schema)
    root = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    assert root["properties"]["schema"]["enum"] == [f"tidegate.{name}/1"]
    assert ("schema" in root["required"]) == (name != "looks")  # a console that measures looks need not say it


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.__name__)
def test_what_is_written_fits(sample: Any) -> None:
    document = json.loads(render_json(*sample(), PLAIN))
    jsonschema.Draft202012Validator(json.loads(schema_of("check"))).validate(document)
    jsonschema.Draft202012Validator(json.loads(schema_of("facts"))).validate(document["facts"])


def test_facts_that_hold_nothing_fit() -> None:
    document = json.loads(to_json(to_document(Facts(now=samples.NOW))))
    jsonschema.Draft202012Validator(json.loads(schema_of("facts"))).validate(document)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.pop("outcome"),
        lambda d: d.update(outcome="maybe"),
        lambda d: d["facts"].pop("provenance"),
        lambda d: d["facts"]["provenance"].pop("unknowns"),
        lambda d: d["facts"]["provenance"]["lines"].update(ai=-1),
        lambda d: d["facts"]["provenance"]["lines"].pop("ai"),
        lambda d: d["facts"]["change"].update(breadth=None),
        lambda d: d["verdict"]["rules"][0].update(state="fine"),
    ],
)
def test_what_does_not_fit_is_noticed(spoil: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(render_json(*samples.held(), PLAIN))
    spoil(document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(json.loads(schema_of("check"))).validate(document)


def test_the_document_has_the_fields_of_its_type_and_a_stable_order() -> None:
    written = render_json(*samples.held(), PLAIN)
    document = json.loads(written)
    assert sorted(document) == sorted(Check.__struct_fields__)
    assert sorted(document["facts"]) == sorted((*SECTIONS, "schema", "now"))
    assert written == json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


def test_a_field_that_does_not_hold_is_absent() -> None:
    facts = json.loads(render_json(*samples.bare_diff(), PLAIN))["facts"]
    assert "author" not in facts["change"]
    assert facts["change"]["lines_added"] == 122
    assert sorted(facts["provenance"]) == ["findings", "status", "totals", "unknowns"]


def test_the_command_writes_the_schema(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["facts"])
    assert done.exit_code == 0
    assert done.output == schema_of("facts")
    assert CliRunner().invoke(command, ["fact"]).exit_code == 2

r"""Distils which CloudFormation properties force a replacement from the resource schemas that cfn-lint ships (MIT-0).

    python -m tools.tables.cloudformation

Of every type in us-east-1: its top-level properties that are create-only ("always"), conditionally so
("conditionally", the condition is in no schema) and updated in place ("no"). A create-only path that is not top-level
stands with slashes (`VpcConfig/SubnetIds`). "deletes_first" are the types of which the old one goes before the new one
comes. Properties that nobody can set are left out. "caseless" are those that the service lowers or raises itself, so
that `MySQL` is `mysql`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from tools.tables.packages import packages

CFN_LINT = "1.58.0"
REGION = "us-east-1"
TABLE = Path(__file__).parents[2] / "src/tidegate/infra/tables/cloudformation.json"


def main() -> None:
    with packages(f"cfn-lint=={CFN_LINT}") as installed:
        data = installed / "cfnlint" / "data" / "schemas"
        types = json.loads((data / "providers" / f"{REGION}.json").read_text())
        date = json.loads((data / "version.json").read_text())["schema_date"]
        schemas = {name: json.loads((data / "resources" / f"{types[name]}.json").read_text()) for name in sorted(types)}
    table = {
        "source": f"cfn-lint {CFN_LINT} (MIT-0), CloudFormation resource schemas of {REGION}, {date[:10]}",
        "deletes_first": " ".join(
            name for name, one in schemas.items() if one.get("replacementStrategy") == "delete_then_create"
        ),
        "caseless": {name: names for name, one in schemas.items() if (names := caseless(one))},
        "types": {name: distilled(schema) for name, schema in schemas.items()},
    }
    TABLE.write_text(json.dumps(table, separators=(",", ":")).replace('],"', '],\n"') + "\n")
    sys.stdout.write(f"{TABLE.name}: {TABLE.stat().st_size:,} bytes\n")


def distilled(schema: dict[str, object]) -> list[str]:
    """What is always, what is conditionally create-only, what is neither: three lists of names with spaces between."""
    always = set(_paths(schema.get("createOnlyProperties")))
    maybe = set(_paths(schema.get("conditionalCreateOnlyProperties"))) - always
    read = set(_paths(schema.get("readOnlyProperties")))
    properties = schema.get("properties")
    names = set(properties) if isinstance(properties, dict) else set()
    return [" ".join(sorted(one)) for one in (always, maybe, names - always - maybe - read)]


def caseless(schema: dict[str, object]) -> str:
    """The top-level properties whose case means nothing, with spaces between."""
    transforms = schema.get("propertyTransform")
    found = transforms.items() if isinstance(transforms, dict) else ()
    names = {path.removeprefix("/properties/") for path, how in found if "$lowercase(" in how or "$uppercase(" in how}
    return " ".join(sorted(name for name in names if "/" not in name))


# Private


def _paths(found: object) -> Iterable[str]:
    for path in found if isinstance(found, list) else ():
        yield str(path).removeprefix("/properties/").replace("/items/", "/*/").replace("/properties/", "/")


if __name__ == "__main__":
    main()

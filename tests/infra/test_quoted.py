"""What a reason quotes shows no password."""

from __future__ import annotations

import pytest

from tests.infra.test_code import _judged
from tidegate.infra.quoted import without_secrets

SECRET = "plum-Tree-48"


@pytest.mark.parametrize(
    "command",
    [
        f"kubectl delete ns prod --token={SECRET}",
        f"kubectl delete ns prod --token {SECRET}",
        f"terraform destroy -auto-approve -var password={SECRET}",
        f"terraform destroy -var 'db_password={SECRET}'",
        f"PGPASSWORD={SECRET} psql -c x",
        f"curl https://u:{SECRET}@example.com/x | sh",
        f"curl -u admin:{SECRET} https://example.com | sh",
        f"curl -H 'Authorization: Bearer {SECRET}' https://example.com | sh",
        f"mysql -h db -p{SECRET} -e 'DROP TABLE x'",
        f"az login --client-secret {SECRET}",
    ],
)
def test_no_secret_of_a_command_is_quoted(command: str) -> None:
    said = without_secrets(f"`{command}` is added to deploy: it destroys.")
    assert SECRET not in said
    assert said.endswith("` is added to deploy: it destroys.")


@pytest.mark.parametrize(
    "text",
    [
        "`kubectl delete ns prod` is added: what is in it is destroyed.",
        "`terraform destroy -var password=$PASSWORD` is added.",
        "The token of deploy gets more: id-token: none -> write.",
        "`curl -H 'Authorization: Bearer ${TOKEN}' https://example.com | sh` runs what it fetches.",
    ],
)
def test_what_is_no_secret_is_quoted_as_it_is(text: str) -> None:
    assert without_secrets(text) == text


def test_secrets_of_a_backend_are_not_shown() -> None:
    backend = 'terraform {{\n  backend "s3" {{\n    bucket = "{}"\n    secret_key = "{}"\n  }}\n}}\n'
    code = f'{backend}resource "null_resource" "x" {{{{}}}}\n'
    said = " ".join(one.reason for one in _judged(code.format("a", "old-plum-48"), code.format("b", SECRET)).effects)
    assert "bucket a -> b" in said
    assert "plum" not in said
    assert SECRET not in said

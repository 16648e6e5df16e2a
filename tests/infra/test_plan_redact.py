"""No secret of a plan gets past the reader, wherever it stands."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.infra.plan_texts import change, document, shop, state, written
from tidegate.facts import to_json
from tidegate.infra.collect import facts_of
from tidegate.infra.judge import judge
from tidegate.infra.plans import read_plan
from tidegate.infra.rules import RULES
from tidegate.infra.terraform.hunt import Hay
from tidegate.infra.terraform.redact import Redactor
from tidegate.infra.values import Hidden

SECRET = 'v8K"<q>&/+Zr 2x'
PLAIN = "9Gh3-Kd82-mQzx"


def said(plan: dict[str, Any]) -> str:
    """All that anybody gets to see of a plan."""
    found = read_plan(written(plan), "plan.json")
    return repr(found) + to_json(facts_of(judge([found], RULES, "human"), "human")).decode()


def made(type_: str, values: dict[str, Any], mask: Any = None) -> dict[str, Any]:
    return change(
        f"{type_}.x", "update", {**values, "n": 1}, {**values, "n": 2}, before_sensitive=mask, after_sensitive=mask
    )


HOLDERS: dict[str, dict[str, Any]] = {
    "a mask": made("a_b", {"v": PLAIN}, {"v": True}),
    "a mask over a block": made("a_b", {"v": [{"w": PLAIN}]}, {"v": [{"w": True}]}),
    "a mask over everything": made("a_b", {"v": PLAIN}, True),
    "a mask over a list": made("a_b", {"v": ["open", PLAIN]}, {"v": [False, True]}),
    "a name": made("a_b", {"master_password": PLAIN}),
    "a name in a block": made("a_b", {"user": [{"client_secret": PLAIN}]}),
    "a list under a name": made("a_b", {"passwords": [PLAIN]}),
    "a map of variables": made("aws_lambda_function", {"environment": [{"variables": {"API_TOKEN": PLAIN}}]}),
    "a pair": made("a_b", {"environment_variable": [{"name": "DB_PASSWORD", "value": PLAIN, "type": "PLAINTEXT"}]}),
    "a document": made(
        "a_b", {"container_definitions": json.dumps([{"environment": [{"name": "API_KEY", "value": PLAIN}]}])}
    ),
    "a deep document": made("a_b", {"settings": json.dumps({"a": {"b": [{"clientSecret": PLAIN}]}})}),
    "a type": made("google_secret_manager_secret_version", {"secret_data": PLAIN}),
    "a parameter": made("aws_ssm_parameter", {"type": "SecureString", "value": PLAIN}),
    "a secret of a cluster": made("kubernetes_secret", {"data": {"anything": PLAIN}}),
    "a document in a secret": made("aws_secretsmanager_secret_version", {"secret_string": json.dumps({"x": PLAIN})}),
    "a login": made("a_b", {"url": f"postgres://shop:{PLAIN}@db.example.com:5432/shop"}),
    "a connection string": made("a_b", {"conn": f"Server=tcp:db;User ID=sa;Password={PLAIN};Encrypt=true"}),
    "a script": made("aws_instance", {"user_data": f"#!/bin/sh\nexport DB_PASSWORD='{PLAIN}'\n"}),
    "a script in Base64": made(
        "aws_instance", {"user_data_base64": base64.b64encode(f"export TOKEN={PLAIN}\n".encode()).decode()}
    ),
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_holds_a_secret_keeps_it_and_so_does_every_other_place(holder: str) -> None:
    elsewhere = {
        "description": f"the key is {PLAIN}, keep it",
        "tags": {"note": PLAIN, PLAIN: "key"},
        "config": json.dumps({"plain": [f"x{PLAIN}y"]}),
        "encoded": base64.b64encode(f"ab{PLAIN}cd".encode()).decode(),
    }
    others = [
        change(
            f'aws_x.y["{PLAIN}"]',
            "delete create",
            elsewhere,
            {**elsewhere, "name": PLAIN},
            replace_paths=[["tags", PLAIN]],
        ),
        change("aws_sqs_queue.q", "delete", {"name": f"q-{PLAIN}"}, previous_address=f'aws_sqs_queue.p["{PLAIN}"]'),
    ]
    plan = document(
        [HOLDERS[holder], *others],
        [state(f'aws_x.y["{PLAIN}"]', elsewhere, f'aws_z.w["{PLAIN}"]')],
        resource_drift=[change("aws_x.d", "update", {"description": "a"}, {"description": f"hotfix {PLAIN}"})],
    )
    text = said(plan)
    assert PLAIN not in text
    assert base64.b64encode(PLAIN.encode()).decode()[2:-4] not in text


def test_no_spelling_of_a_secret_is_left() -> None:
    spelled = [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET)[1:-1].replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
        "v8K%22%3Cq%3E%26%2F%2BZr%202x",
    ]
    text = said(document([made("a_b", {"password": SECRET, **{f"t{n}": f"a {s} b" for n, s in enumerate(spelled)}})]))
    assert not [one for one in spelled if one in text or repr(one)[1:-1] in text]


SHARED = {
    "variables": {"shared": {"value": {"a": [PLAIN]}}},
    "configuration": {"root_module": {"variables": {"shared": {"sensitive": True}}}},
}


@pytest.mark.parametrize(
    "top",
    [
        {"variables": {"db_password": {"value": PLAIN}}},
        {
            "variables": {"shared": {"value": {"a": [PLAIN]}}},
            "configuration": {"root_module": {"variables": {"shared": {"sensitive": True}}}},
        },
        {"planned_values": {"outputs": {"o": {"sensitive": True, "value": PLAIN}}}},
        {"prior_state": {"values": {"outputs": {"o": {"sensitive": True, "value": PLAIN}}}}},
        {"output_changes": {"o": {"actions": ["create"], "after": PLAIN, "after_sensitive": True}}},
        {"configuration": {"provider_config": {"x": {"expressions": {"api_token": {"constant_value": PLAIN}}}}}},
    ],
)
def test_secrets_of_variables_outputs_and_providers_are_known_elsewhere(top: dict[str, Any]) -> None:
    assert PLAIN not in said(document([made("a_b", {"comment": f"use {PLAIN}"})], **top))


def test_equal_secrets_have_one_number_and_a_change_shows() -> None:
    plan = document(
        [
            change("a_b.x", "update", {"password": "first-one-1", "n": 1}, {"password": "second-one-2", "n": 1}),
            change("a_b.y", "update", {"token": "second-one-2", "n": 1}, {"token": "second-one-2", "n": 2}),
        ]
    )
    first, second = read_plan(written(plan), "plan.json").worlds[0].changes
    assert first.before is not None
    assert first.after is not None
    assert second.before is not None
    assert isinstance(first.before["password"], Hidden)
    assert first.before["password"] != first.after["password"] == second.before["token"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http_tokens", "required"),
        ("secret_arn", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x"),
        ("password_length", "16"),
        ("secret_name", "shop-database"),
        ("kms_key_id", "1234abcd-12ab-34cd-56ef-1234567890ab"),
        ("iam_database_authentication", "shop-shop"),
        ("key_name", "deployers"),
        ("hash_key", "session_id"),
        ("auth_token_update_strategy", "ROTATE"),
        ("public_key", "ssh-ed25519 AAAAC3"),
    ],
)
def test_what_only_speaks_of_secrets_is_shown(name: str, value: str) -> None:
    redactor = Redactor()
    redactor.learn({name: value})
    assert redactor.clean({name: value}) == {name: value}


def test_common_words_are_hidden_in_their_place_only() -> None:
    plan = document([made("a_b", {"password": "production", "env": "production", "engine": "postgres"})])
    found = read_plan(written(plan), "plan.json").worlds[0].changes[0]
    assert found.before is not None
    assert isinstance(found.before["password"], Hidden)
    assert found.before["env"] == "production"


def test_an_address_that_a_secret_repeats_stays_an_address() -> None:
    """A cluster's secret that holds the host of a database must not cut the database from who uses it."""
    host = "shop-main.abc.eu-west-1.rds.amazonaws.com"
    plan = document([made("aws_db_instance", {"address": host}), made("kubernetes_secret", {"data": {"host": host}})])
    found = read_plan(written(plan), "plan.json").worlds[0]
    assert found.before["aws_db_instance.x"].values["address"] == host


def test_a_cleaned_document_still_shows_what_else_it_says() -> None:
    before = json.dumps([{"image": "api:1", "environment": [{"name": "API_TOKEN", "value": PLAIN}]}])
    found = read_plan(written(document([made("a_b", {"container_definitions": before})])), "p").worlds[0].changes[0]
    assert found.before is not None
    document_ = json.loads(found.before["container_definitions"])
    assert document_[0]["image"] == "api:1"
    assert document_[0]["environment"][0]["value"].startswith("(sensitive ")


def test_a_parameter_that_is_no_secret_is_hidden_in_its_place_only() -> None:
    values = {"type": "String", "value": "www.shop.example.com"}
    plan = document(
        [made("aws_ssm_parameter", values, {"value": True}), made("aws_x", {"name": "www.shop.example.com"})]
    )
    parameter, other = read_plan(written(plan), "plan.json").worlds[0].changes
    assert parameter.before is not None
    assert other.before is not None
    assert isinstance(parameter.before["value"], Hidden)
    assert other.before["name"] == "www.shop.example.com"


@pytest.mark.parametrize(
    "secret",
    [
        "line one\nline two\n",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\n",
        "k" * 5000 + "Z9",
        "ünïcödé-\U0001f511-key",
        "a(b[c{d*e+f?g|h^i$j.k\\l",
        "nul\x00inside-it",
    ],
)
def test_secrets_of_every_form_are_found_in_other_texts(secret: str) -> None:
    plan = document(
        [made("a_b", {"password": secret, "text": f"before {secret} after", "more": json.dumps({"x": secret})})]
    )
    found = read_plan(written(plan), "plan.json").worlds[0].changes[0]
    assert found.before is not None
    assert found.before["text"] in ("before (sensitive 1) after", "before (sensitive 1)\n after")
    assert secret.strip() not in repr(found.before)
    assert json.dumps(secret.strip())[1:-1] not in found.before["more"]


@given(
    st.lists(st.text("ab\n€\x00", min_size=6, max_size=9), min_size=1, max_size=6), st.text("ab\n€\x00", max_size=60)
)
def test_no_needle_is_left_in_any_hay(needles: list[str], text: str) -> None:
    texts = [text, text + needles[0], needles[-1] + text, "nothing"]
    found = Hay(texts).replaced(dict.fromkeys(needles, "#"))
    for one in texts:
        assert not [needle for needle in needles if needle in found.get(one, one)]
        assert one in found or found.get(one, one) == one


@pytest.mark.parametrize("seed", range(4))
def test_forty_secrets_in_every_place_of_a_plan_are_all_gone(seed: int) -> None:
    check_planted(shop(), random.Random(seed))


@pytest.mark.conformance
def test_forty_secrets_in_every_plan_of_the_corpus_are_all_gone(data: Path) -> None:
    paths = sorted(data.glob("iac/tfplans/*.json")) + sorted(data.glob("iac/generated/plans_*/*.json"))
    assert paths
    for number, path in enumerate(paths):
        check_planted(json.loads(path.read_text("utf-8-sig")), random.Random(number))


# Private


def check_planted(plan: dict[str, Any], random_: random.Random) -> None:
    """Marks forty texts as secret in one way each and puts each into some other texts of the plan as well."""
    secrets = ["".join(random_.choices("abcdefghkmnpqrstuvwxyzABCDEFGH23456789-_!", k=14)) for _ in range(40)]
    sides = [(one["change"], "before" if one["change"].get("before") else "after") for one in plan["resource_changes"]]
    sides = [(entry, side) for entry, side in sides if entry.get(side)]
    texts = list(_texts(plan))
    for number, secret in enumerate(secrets):
        entry, side = random_.choice(sides)
        values = entry[side]
        key = f"planted_{number}"
        kind = random_.randrange(4)
        if kind == 0:
            masks = entry.get(f"{side}_sensitive")
            entry[f"{side}_sensitive"] = {**(masks if isinstance(masks, dict) else {}), key: True}
            values[key] = secret
        elif kind == 1:
            values[f"{key}_password"] = secret
        elif kind == 2:
            values[key] = json.dumps({"nested": {"apiToken": secret}})
        else:
            values[key] = [{"name": "DB_PASSWORD", "value": secret}]
        for holder, place in random_.sample(texts, min(5, len(texts))):
            holder[place] = f"{holder[place]} {secret}" if random_.random() < 0.7 else secret
    text = said(plan)
    assert [secret for secret in secrets if secret in text] == []


def _texts(plan: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Every text of the values of a plan, as a place to put another."""
    parts: list[Any] = [plan.get("planned_values"), plan.get("prior_state"), plan.get("variables")]
    for entry in (*plan["resource_changes"], *plan.get("resource_drift", [])):
        parts += [entry["change"].get("before"), entry["change"].get("after")]
    while parts:
        holder = parts.pop()
        for key in holder if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ():
            if isinstance(holder[key], str) and key not in ("type", "mode", "address", "format_version"):
                yield holder, key
            elif isinstance(holder[key], (dict, list)):
                parts.append(holder[key])

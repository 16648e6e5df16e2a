"""GitLab, image builds, compose files, flags and zones: each dangerous change beside a harmless twin of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given as property_given
from hypothesis import settings
from hypothesis import strategies as st

from tidegate.change.trees import given
from tidegate.infra.families import FAMILIES
from tidegate.infra.pipelines import family
from tidegate.infra.pipelines.destroying import deeds_of
from tidegate.infra.pipelines.dockerfile import stages_of
from tidegate.infra.pipelines.flags import flags_of, sense_of
from tidegate.infra.pipelines.zones import zone_records
from tidegate.infra.rules import toggles
from tidegate.infra.values import Draft, Found, ResourceChange, World

_KINDS = (
    (family.claims_gitlab, family.read_gitlab),
    (family.claims_container, family.read_containers),
    (family.claims_flags, family.read_flags),
    (family.claims_zone, family.read_zones),
)


def found(before: dict[str, str], after: dict[str, str]) -> Found:
    trees = given({k: v.encode() for k, v in before.items()}, {k: v.encode() for k, v in after.items()})
    all_found = [
        read(trees, mine) for claims, read in _KINDS if (mine := [pair for pair in trees.changed if claims(pair.path)])
    ]
    return Found(
        drafts=tuple(one for part in all_found for one in part.drafts),
        unjudged=tuple(one for part in all_found for one in part.unjudged),
        files=tuple(one for part in all_found for one in part.files),
    )


def drafts(path: str, before: str, after: str) -> tuple[Draft, ...]:
    return found({path: before}, {path: after}).drafts


def grave(path: str, before: str, after: str) -> list[tuple[str, str]]:
    return sorted(
        (one.code, one.severity) for one in drafts(path, before, after) if one.severity not in ("note", "low")
    )


LAB = ".gitlab-ci.yml"
LAB_BASE = """\
include:
  - project: acme/templates
    ref: v1.2.0
    file: /ci.yml
  - template: Security/SAST.gitlab-ci.yml
stages: [test, deploy]
.base:
  image: python:3.12
unit:
  extends: .base
  stage: test
  script:
    - pip install .
    - pytest -q
ship:
  stage: deploy
  image: acme/deploy:2
  script:
    - echo "$TOKEN" | docker login --password-stdin
    - kubectl apply -f k8s/
  environment:
    name: production
  resource_group: production
  rules:
    - if: $CI_COMMIT_BRANCH == "main"
      when: manual
"""
DOCKER = """\
ARG PY=3.12
FROM golang:1.22 AS build
RUN go build -o /app .
FROM python:${PY}-slim
RUN pip install \\
    # a comment inside
    flask
COPY --from=build /app /app
USER app:app
EXPOSE 8080
HEALTHCHECK CMD curl -f http://localhost/
ENTRYPOINT ["/app", "serve"]
"""
COMPOSE = """\
services:
  web:
    image: acme/web:1.4
    ports: ["8080:80"]
  db:
    image: postgres:15
    ports:
      - "127.0.0.1:5432:5432"
    volumes:
      - data:/var/lib/postgresql/data
    healthcheck:
      test: pg_isready
volumes:
  data:
"""
ZONE = """\
$ORIGIN example.com.
$TTL 3600
@   IN SOA ns1.example.com. admin.example.com. (
        2026010101 ; serial
        7200 3600 1209600 3600 )
    IN NS ns1.example.com.
    IN NS ns2.example.com.
    IN MX 10 mail
    IN A  192.0.2.1
www 300 IN CNAME @
api IN A 192.0.2.7
_acme IN TXT "proof; of it"
shop IN NS ns.partner.example.
"""
FLAGD = json.dumps(
    {
        "flags": {
            "enable_payments": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"},
            "maintenance_mode": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"},
            "green-button": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"},
        }
    }
)
ROLLOUT = (
    "flags:\n  - key: checkout_v1\n    enabled: true\n    rollout: 0\n  - key: kill_switch_search\n    enabled: false\n"
)
COMPOSE_PATH = "docker-compose.yml"

PAIRS: dict[str, tuple[str, str, tuple[str, str], tuple[str, str], tuple[str, str]]] = {
    "gitlab: nobody is asked": (
        LAB,
        LAB_BASE,
        ('"main"\n      when: manual', '"main"'),
        ('"main"\n      when: manual', '"master"\n      when: manual'),
        ("GUARD_REMOVED", "high"),
    ),
    "gitlab: from every branch": (
        LAB,
        LAB_BASE.replace("\n      when: manual", ""),
        ('  rules:\n    - if: $CI_COMMIT_BRANCH == "main"\n', ""),
        ('  rules:\n    - if: $CI_COMMIT_BRANCH == "main"\n', "  only: [main]\n"),
        ("GUARD_REMOVED", "high"),
    ),
    "gitlab: the environment is left": (
        LAB,
        LAB_BASE,
        ("  environment:\n    name: production\n", ""),
        ("  environment:\n    name: production\n", "  environment: production\n"),
        ("GUARD_REMOVED", "high"),
    ),
    "gitlab: tests may fail": (
        LAB,
        LAB_BASE,
        ("  stage: test\n", "  stage: test\n  allow_failure: true\n"),
        ("  stage: test\n", "  stage: test\n  interruptible: true\n"),
        ("GUARD_REMOVED", "medium"),
    ),
    "gitlab: the include floats": (
        LAB,
        LAB_BASE,
        ("ref: v1.2.0", "ref: main"),
        ("ref: v1.2.0", "ref: v1.3.0"),
        ("SUPPLY_CHAIN", "medium"),
    ),
    "gitlab: a pipeline from the net": (
        LAB,
        LAB_BASE,
        ("include:\n", "include:\n  - remote: https://ci.example.net/x.yml\n"),
        ("include:\n", "include:\n  - local: /ci/x.yml\n"),
        ("SUPPLY_CHAIN", "medium"),
    ),
    "gitlab: the scan goes": (
        LAB,
        LAB_BASE,
        ("  - template: Security/SAST.gitlab-ci.yml\n", ""),
        ("  - template: Security/SAST", "  - template: Jobs/SAST"),
        ("GUARD_REMOVED", "medium"),
    ),
    "gitlab: a secret is printed": (
        LAB,
        LAB_BASE,
        ("    - kubectl", "    - echo $DEPLOY_TOKEN\n    - kubectl"),
        ("    - kubectl", "    - echo $DEPLOY_TOKEN > /run/token\n    - kubectl"),
        ("GUARD_REMOVED", "medium"),
    ),
    "gitlab: applied unseen": (
        LAB,
        LAB_BASE,
        ("    - kubectl", "    - tofu apply -auto-approve\n    - kubectl"),
        ("    - kubectl", "    - tofu apply saved.tfplan\n    - kubectl"),
        ("GUARD_REMOVED", "medium"),
    ),
    "jenkins: the approval goes": (
        "Jenkinsfile",
        "stage('a') { input message: 'Ship?' }\nstage('b') { sh 'make' }\n",
        ("input message: 'Ship?'", "// input message: 'Ship?'\n"),
        ("'Ship?'", "'Really?'"),
        ("GUARD_REMOVED", "high"),
    ),
    "circleci: the approval goes": (
        ".circleci/config.yml",
        "workflows:\n  all:\n    jobs:\n      - hold: {type: approval}\n      - ship: {requires: [hold]}\n",
        ("      - hold: {type: approval}\n", ""),
        ("hold: {type: approval}", "hold:\n          type: approval"),
        ("GUARD_REMOVED", "high"),
    ),
    "image: root": (
        "Dockerfile",
        DOCKER,
        ("USER app:app", "USER root"),
        ("USER app:app", "USER 10001"),
        ("PRIV_ESC", "medium"),
    ),
    "image: no user": (
        "Dockerfile",
        DOCKER,
        ("USER app:app\n", ""),
        ("USER app:app", 'USER "app"'),
        ("PRIV_ESC", "medium"),
    ),
    "image: another owner's base": (
        "Dockerfile",
        DOCKER,
        ("FROM python:${PY}-slim", "FROM pyth0n/python:3.12-slim"),
        ("ARG PY=3.12", "ARG PY=3.12.4"),
        ("SUPPLY_CHAIN", "medium"),
    ),
    "image: the digest goes": (
        "Dockerfile",
        f"FROM python:3.12@sha256:{'a' * 64}\nCMD app\n",
        (f"@sha256:{'a' * 64}", ""),
        ("a" * 64, "b" * 64),
        ("SUPPLY_CHAIN", "medium"),
    ),
    "image: a secret inside": (
        "Dockerfile",
        DOCKER,
        ("EXPOSE 8080", "ENV API_TOKEN=q8w7e6r5t4z3\nEXPOSE 8080"),
        ("EXPOSE 8080", "ARG API_TOKEN\nENV SECRET_KEY=dummy-for-build\nEXPOSE 8080"),
        ("SECRET_CHANGE", "medium"),
    ),
    "compose: privileged": (
        COMPOSE_PATH,
        COMPOSE,
        ("image: acme/web:1.4", "image: acme/web:1.4\n    privileged: true"),
        ("image: acme/web:1.4", "image: acme/web:1.5\n    read_only: true"),
        ("PRIV_ESC", "high"),
    ),
    "compose: the socket of docker": (
        COMPOSE_PATH,
        COMPOSE,
        ("image: acme/web:1.4", "image: acme/web:1.4\n    volumes: ['/var/run/docker.sock:/var/run/docker.sock']"),
        ("image: acme/web:1.4", "image: acme/web:1.4\n    volumes: ['./site:/site:ro']"),
        ("PRIV_ESC", "high"),
    ),
    "compose: the host's network": (
        COMPOSE_PATH,
        COMPOSE,
        ("image: acme/web:1.4", "image: acme/web:1.4\n    network_mode: host"),
        ("image: acme/web:1.4", "image: acme/web:1.4\n    network_mode: bridge"),
        ("PRIV_ESC", "medium"),
    ),
    "compose: a database for everybody": (
        COMPOSE_PATH,
        COMPOSE,
        ("127.0.0.1:5432:5432", "5432:5432"),
        ("127.0.0.1:5432:5432", "127.0.0.1:6432:5432"),
        ("NET_EXPOSE", "medium"),
    ),
    "compose: the data's volume": (
        COMPOSE_PATH,
        COMPOSE,
        ("    volumes:\n      - data:/var/lib/postgresql/data\n", ""),
        (
            "- data:/var/lib/postgresql/data",
            "- type: volume\n        source: data\n        target: /var/lib/postgresql/data",
        ),
        ("DATA_DESTROY", "medium"),
    ),
    "compose: another major of a store": (
        COMPOSE_PATH,
        COMPOSE,
        ("postgres:15", "postgres:17"),
        ("postgres:15", "postgres:15.6"),
        ("IRREVERSIBLE_UPGRADE", "high"),
    ),
    "flags: payments off": (
        "flags/shop.flagd.json",
        FLAGD,
        ('"defaultVariant": "on"', '"defaultVariant": "off"'),
        (
            '"flags": {',
            '"flags": {"new-thing": {"state": "DISABLED", "defaultVariant": "off", "variants": {"off": false}}, ',
        ),
        ("OUTAGE_PARTIAL", "high"),
    ),
    "flags: maintenance": (
        "flags/shop.json",
        '{"maintenance_mode": false, "green": false}',
        ('"maintenance_mode": false', '"maintenance_mode": true'),
        ('"green": false', '"green": true'),
        ("OUTAGE_FULL", "high"),
    ),
    "flags: everybody at once": (
        "features.yml",
        ROLLOUT,
        ("rollout: 0", "rollout: 100"),
        ("rollout: 0", "rollout: 5"),
        ("OUTAGE_PARTIAL", "medium"),
    ),
    "flags: a kill switch": (
        "features.yml",
        ROLLOUT,
        ("search\n    enabled: false", "search\n    enabled: true"),
        ("search\n    enabled: false", "search\n    description: x\n    enabled: false"),
        ("OUTAGE_PARTIAL", "high"),
    ),
    "flags: toml": (
        "config/flags.toml",
        "[production]\nenable_checkout = true\n",
        ("true", "false"),
        ("enable_checkout = true", "enable_checkout = true\nblue = false"),
        ("OUTAGE_PARTIAL", "high"),
    ),
    "zone: a name goes": (
        "dns/example.com.zone",
        ZONE,
        ("api IN A 192.0.2.7\n", ""),
        ("api IN A 192.0.2.7", "api.example.com. 60 A 192.0.2.7"),
        ("DNS_CHANGE", "high"),
    ),
    "zone: a delegation goes": (
        "dns/example.com.zone",
        ZONE,
        ("shop IN NS ns.partner.example.\n", ""),
        ("2026010101", "2026010102"),
        ("DNS_CHANGE", "high"),
    ),
    "zone: mail goes elsewhere": (
        "dns/example.com.zone",
        ZONE,
        ("MX 10 mail", "MX 10 mx.example.net."),
        ("MX 10 mail", "MX 10 mail.example.com."),
        ("DNS_CHANGE", "high"),
    ),
    "zone: octodns": (
        "zones/example.com.yaml",
        "www:\n  type: CNAME\n  value: example.com.\n  ttl: 60\n'':\n  - type: A\n    values: [192.0.2.1]\n",
        ("  - type: A\n    values: [192.0.2.1]\n", "  - type: A\n    values: [198.51.100.1]\n"),
        ("ttl: 60", "ttl: 600"),
        ("DNS_CHANGE", "high"),
    ),
    "zone: dnscontrol": (
        "dnsconfig.js",
        'D("example.com", REG, DnsProvider(X),\n  A("@", "192.0.2.1"),\n  A("api", "192.0.2.2"),\n);\n',
        ('  A("api", "192.0.2.2"),\n', '  // A("api", "192.0.2.2"),\n'),
        ('"192.0.2.2")', '"192.0.2.2", TTL(60))'),
        ("DNS_CHANGE", "high"),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_dangerous_change_is_told_from_its_twin(name: str) -> None:
    path, before, danger, twin, expected = PAIRS[name]
    assert danger[0] in before
    assert twin[0] in before
    said = grave(path, before, before.replace(*danger))
    assert expected in said
    assert grave(path, before, before.replace(*twin)) == []


@pytest.mark.parametrize("name", PAIRS)
def test_every_effect_says_where_it_stands(name: str) -> None:
    path, before, danger, _, expected = PAIRS[name]
    told = [one for one in drafts(path, before, before.replace(*danger)) if (one.code, one.severity) == expected]
    assert {one.place.path for one in told} == {path}


def test_a_secret_is_never_printed() -> None:
    path, before, danger, *_ = PAIRS["image: a secret inside"]
    assert "q8w7e6r5t4z3" not in repr(drafts(path, before, before.replace(*danger)))


def test_a_zone_that_is_deleted_takes_every_name() -> None:
    said = found({"dns/example.com.zone": ZONE}, {}).drafts
    assert [(one.severity, one.address) for one in said] == [("critical", "dns example.com")]
    moved = found({"dns/example.com.zone": ZONE}, {"zones/example.com.zone": ZONE}).drafts
    assert moved == ()


def test_stages_and_users_are_followed() -> None:
    stages = stages_of("FROM a:1 AS base\nUSER app\nFROM base\nCMD x\n")
    assert [(stage.name, stage.image) for stage in stages] == [("base", "a:1"), ("1", "base")]
    before = "FROM a:1 AS base\nUSER app\nFROM base\nCMD x\n"
    assert grave("Dockerfile", "FROM a:1\nUSER app\nCMD x\n", before) == []


def test_a_file_for_development_says_so_by_its_name() -> None:
    said = drafts("docker-compose.dev.yml", COMPOSE, COMPOSE.replace("127.0.0.1:5432:5432", "5432:5432"))
    assert "docker-compose.dev.yml" in said[0].address
    assert said[0].environment == ""


def test_a_service_that_moves_to_another_compose_file_is_silent() -> None:
    web = "services:\n  web:\n    image: acme/web:1.4\n    ports: ['8080:80']\n"
    rest = "services:\n  db:" + COMPOSE.partition("  db:")[2]
    assert (
        found({"compose.yml": COMPOSE, "compose.db.yml": web}, {"compose.yml": web, "compose.db.yml": rest}).drafts
        == ()
    )


@pytest.mark.parametrize(
    ("name", "sense"),
    [
        ("maintenance_mode", "maintenance"),
        ("readOnly", "read-only"),
        ("kill-switch-search", "kill"),
        ("disable_signups", "kill"),
        ("enablePayments", "critical"),
        ("sign_in", "critical"),
        ("new_checkout_button", "other"),
        ("block_editor", "other"),
        ("dark_theme", "other"),
    ],
)
def test_what_a_flag_does_by_its_name(name: str, sense: str) -> None:
    assert sense_of(name) == sense


def test_flags_of_every_tool() -> None:
    launch = {"flags": {"a": {"on": True, "fallthrough": {"variation": 1}, "variations": [True, False]}}}
    unleash = {"features": [{"name": "b", "enabled": True, "strategies": [{"parameters": {"rollout": "25"}}]}]}
    growth = {"features": {"c": {"defaultValue": False, "rules": []}}}
    nested = {"production": {"d": True}, "staging": {"d": {"enabled": False}}}
    shares = {name: flag.share for one in (launch, unleash, growth, nested) for name, flag in flags_of(one).items()}
    assert shares == {"a": 0.0, "b": 0.25, "c": 0.0, "production/d": 1.0, "staging/d": 0.0}


def test_flags_that_terraform_keeps() -> None:
    kind = "launchdarkly_feature_flag_environment"
    values = {"flag_id": "shop/enable-payments", "on": True}
    change = ResourceChange(f"{kind}.it", kind, "update", values, {**values, "on": False})
    assert [(one.code, one.severity) for one in toggles.flags(World("terraform plan", "p", (change,)))] == [
        ("OUTAGE_PARTIAL", "high")
    ]


def test_a_command_that_only_tries_does_nothing() -> None:
    assert list(deeds_of("kubectl delete ns shop --dry-run=client")) == []
    assert list(deeds_of("echo kubectl delete ns shop")) == []
    assert [code for code, _, _ in deeds_of("terraform apply -target=aws_x.y tfplan")] == ["PARTIAL_PLAN"]


@property_given(st.permutations(ZONE.split("\n")[-5:-1]))
@settings(max_examples=20)
def test_the_order_of_records_changes_nothing(lines: list[str]) -> None:
    head = "\n".join(ZONE.split("\n")[:-5])
    assert zone_records("\n".join([head, *lines]), "example.com") == zone_records(ZONE, "example.com")


@property_given(
    st.sampled_from(sorted({one[0] for one in PAIRS.values()})), st.text(max_size=300), st.text(max_size=300)
)
@settings(max_examples=80)
def test_no_text_breaks_a_reader(path: str, before: str, after: str) -> None:
    found({path: before}, {path: after})


def test_files_of_others_are_left_alone() -> None:
    names = {one.name for one in FAMILIES}
    assert {"workflows", "pipelines", "containers", "flags", "zones"} <= names
    for path in (
        "src/features/index.ts",
        "README.md",
        "docs/workflows/ci.md",
        "tests/fixtures/Dockerfile",
        "k8s/a.yaml",
    ):
        assert not any(claims(path) for claims, _ in _KINDS)

"""Services out of trees that are written here as text: what each kind of file says, and how they become one service."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.change.codeowners import NO_OWNERS, Owners, parse_codeowners
from tidegate.reach import services as package
from tidegate.reach.answer import Service
from tidegate.reach.services import (
    add_calls_from_code,
    add_measured_calls,
    paths_of_service,
    read_services,
    services_of,
)


def services(
    files: Mapping[str, str | bytes], owners: Owners = NO_OWNERS, unread: list[tuple[str, str]] | None = None
) -> dict[str, Service]:
    contents = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}

    def read(paths: Sequence[str]) -> Mapping[str, bytes]:
        return {path: contents[path] for path in paths if path in contents}

    return {service.name: service for service in read_services(contents, read, owners, unread)}


def calls(service: Service) -> dict[str, float]:
    return {call.target: call.probability for call in service.calls}


DOCKERFILE = "FROM python:3.11\nCOPY . /app\n"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - image: {image}
        env:
        - {{name: ORDERS, value: "http://orders-svc.shop.svc.cluster.local:8080/v1"}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}-svc}}
spec: {{selector: {{app: {name}}}}}
"""


def test_one_service_that_many_files_name() -> None:
    found = services(
        {
            "src/orders/Dockerfile": DOCKERFILE,
            "src/orders/main.py": "",
            "src/orders/package.json": '{"name": "@shop/orders"}',
            "docker-compose.yml": "services:\n  orders:\n    build: ./src/orders\n    image: shop/orders\n",
            "k8s/orders.yaml": DEPLOYMENT.format(name="orders", image="ghcr.io/shop/orders:1.2"),
            "src/orders/catalog-info.yaml": """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: orders
  labels: {acme.io/tier: "2"}
spec: {type: service, owner: team-orders}
""",
        }
    )
    (orders,) = found.values()
    assert (orders.name, orders.kind, orders.owner, orders.tier, orders.tier_known) == (
        "orders",
        "service",
        "team-orders",
        "high",
        True,
    )
    assert orders.paths[:2] == ("src/orders", "src/orders/Dockerfile")
    assert "k8s/orders.yaml" in orders.paths
    assert orders.hosts == ("orders", "orders-svc")
    assert orders.source == (
        "docker-compose.yml, k8s/orders.yaml (same name), src/orders/Dockerfile (its Dockerfile), "
        "src/orders/catalog-info.yaml (same name)"
    )


def test_other_names_of_one_image_are_one_service() -> None:
    found = services(
        {
            "api/Dockerfile": DOCKERFILE,
            "compose.yaml": "services:\n  web:\n    build: api\n    image: acme/shop-api:dev\n",
            "k8s/shop.yaml": DEPLOYMENT.format(name="shop", image="registry.local:5000/acme/shop-api:dev"),
        }
    )
    assert list(found) == ["web"]
    assert "k8s/shop.yaml (same image acme/shop-api:dev)" in found["web"].source


def test_two_services_of_one_name_and_two_folders_stay_two() -> None:
    compose = "services:\n  api:\n    build: .\n"
    files = {
        f"{side}/{name}": text for side in "ab" for name, text in (("Dockerfile", DOCKERFILE), ("compose.yml", compose))
    }
    assert sorted(services(files)) == ["api (a/compose.yml)", "api (b/compose.yml)"]


def test_two_services_of_one_dockerfile_stay_two() -> None:
    compose = "services:\n  web: {build: ., command: serve}\n  worker: {build: ., command: work}\n"
    found = services({"Dockerfile": DOCKERFILE, "compose.yml": compose, "app.py": ""})
    assert {name: service.paths for name, service in found.items()} == {
        "web": ("", "Dockerfile", "compose.yml"),
        "worker": ("", "Dockerfile", "compose.yml"),
    }


def test_what_is_built_elsewhere_is_external() -> None:
    found = services({"compose.yml": "services:\n  db: {image: postgres}\n"})
    assert found["db"].kind == "external"
    assert (found["db"].tier, found["db"].tier_known) == ("critical", False)


@pytest.mark.parametrize(
    ("dockerfile", "inside", "outside"),
    [
        ("FROM a\nCOPY src/ lib/x.py /app/\n", ["src/m.py", "lib/x.py", "Dockerfile"], ["lib/y.py", "docs/a.md"]),
        ("FROM a AS b\nCOPY src .\nFROM c\nCOPY --from=b /x .\n", ["src/m.py"], ["docs/a.md"]),
        ("FROM a AS test\nCOPY docs .\nFROM a\nCOPY src .\n", ["src/m.py"], ["docs/a.md"]),
        ("FROM a\nARG D=src\nCOPY ${D} .\n", ["src/m.py"], ["docs/a.md"]),
        ('FROM a\nCOPY ["src", "lib", "/app/"]\n', ["src/m.py", "lib/y.py"], ["docs/a.md"]),
        ("FROM a\nADD https://example.com/x src/*.py \\\n  # why\n  /app/\n", ["src/m.py", "src/new.py"], ["lib/y.py"]),
        ("FROM a\nRUN --mount=type=bind,source=src,target=/s make\n", ["src/m.py"], ["lib/y.py"]),
        ("FROM a\nCOPY <<EOF /x\nCOPY docs .\nEOF\nCOPY src .\n", ["src/m.py"], ["docs/a.md"]),
        ("# escape=`\nFROM a\nCOPY src `\n  lib /app/\n", ["src/m.py", "lib/y.py"], ["docs/a.md"]),
        ("from a as b\ncopy --chown=1:1 src .\nfrom b\n", ["src/m.py"], ["docs/a.md"]),
        ("FROM a\nCOPY ../.. .\nCOPY src .\n", ["src/m.py"], ["docs/a.md"]),
    ],
)
def test_what_a_dockerfile_copies_builds_the_service(dockerfile: str, inside: list[str], outside: list[str]) -> None:
    tree = dict.fromkeys(("src/m.py", "lib/x.py", "lib/y.py", "docs/a.md"), "")
    found = services({**tree, "Dockerfile": dockerfile, "compose.yml": "services: {app: {build: .}}"})
    assert [path for path in [*inside, *outside] if paths_of_service(found["app"], path)] == inside


def test_what_dockerignore_names_does_not() -> None:
    tree = dict.fromkeys(("src/m.py", "src/m_test.py", "docs/a.md", "docs/keep.md", "README.md"), "")
    ignore = "# notes\n**/*_test.py\ndocs\n!docs/keep.md\n/README.md\n.git\n"
    found = services(
        {**tree, "Dockerfile": DOCKERFILE, ".dockerignore": ignore, "compose.yml": "services: {app: {build: .}}"}
    )
    assert [path for path in tree if paths_of_service(found["app"], path)] == ["src/m.py", "docs/keep.md"]
    assert not paths_of_service(found["app"], "src/new_test.py")


def test_a_dockerfile_alone_is_an_image_with_the_context_that_fits() -> None:
    files = {"src/a/Dockerfile": "FROM x\nCOPY src/a /a\nCOPY libs /l\n", "src/a/m.py": "", "libs/l.py": ""}
    (image,) = services(files).values()
    assert (image.name, image.kind, image.paths) == ("a", "image", ("src/a", "libs", "src/a/Dockerfile"))


def test_compose_variables_come_from_env_files_and_defaults() -> None:
    compose = """
services:
  cart:
    build: {context: ., dockerfile: "${CART_FILE}"}
    environment:
    - STORE_ADDR
    - TAX_URL=http://${TAX:-tax}:80
  store: {image: redis, container_name: valkey-store}
  tax: {image: tax}
"""
    env = "CART_FILE=./cart/Dockerfile\nSTORE_ADDR=valkey-store:${PORT}\nPORT=6379\n"
    found = services(
        {"compose.yml": compose, ".env": env.replace("PORT=6379\n", ""), "cart/Dockerfile": "FROM a\nCOPY cart .\n"}
    )
    assert found["cart"].paths == ("cart", "cart/Dockerfile", "compose.yml")
    assert calls(found["cart"]) == {"tax": 0.9}
    found = services({"compose.yml": compose, ".env": "PORT=6379\n" + env, "cart/Dockerfile": DOCKERFILE})
    assert calls(found["cart"]) == {"store": 0.9, "tax": 0.9}


def test_kubernetes_hosts_are_names_of_services() -> None:
    found = services(
        {
            "k8s/a.yaml": DEPLOYMENT.format(name="orders", image="x/orders"),
            "k8s/b.yaml": DEPLOYMENT.format(name="web", image="x/web"),
        }
    )
    assert calls(found["web"]) == {"orders": 0.9}
    assert found["web"].calls[0].reason == "ORDERS in k8s/b.yaml"
    assert calls(found["orders"]) == {}


def test_config_maps_lists_and_other_namespaces() -> None:
    text = """
apiVersion: v1
kind: List
items:
- {kind: ConfigMap, apiVersion: v1, metadata: {name: c}, data: {BILLING_HOST: billing, OTHER: api.example.com}}
- {kind: CronJob, apiVersion: batch/v1, metadata: {name: nightly}, spec: {jobTemplate: {spec: {template: {spec:
   {containers: [{image: n, envFrom: [{configMapRef: {name: c}}], args: ["--db", "db.data.svc:5432"]}]}}}}}}
- {kind: Deployment, apiVersion: apps/v1, metadata: {name: billing}}
- {kind: StatefulSet, apiVersion: apps/v1, metadata: {name: db}}
- {kind: Deployment, apiVersion: apps/v1, metadata: {name: api}}
"""
    found = services({"deploy/all.yml": text})
    assert calls(found["nightly"]) == {"billing": 0.85, "db": 0.9}


def test_helm_is_read_and_not_rendered() -> None:
    template = """
{{- if .Values.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "shop.fullname" . }}
  labels:
    {{- include "shop.labels" . | nindent 4 }}
spec:
  template:
    spec:
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          env:
          - name: CART_URL
            value: {{ .Values.cart.url | quote }}
{{- end }}
"""
    found = services(
        {
            "charts/shop/Chart.yaml": "name: shop\n",
            "charts/shop/values.yaml": "image: {repository: acme/shop}\ncart: {url: 'http://cart:8080'}\n",
            "charts/shop/templates/deployment.yaml": template,
            "compose.yml": "services: {cart: {image: cart}}",
            "shop/Dockerfile": DOCKERFILE,
        }
    )
    assert found["shop"].paths == ("shop", "shop/Dockerfile", "charts/shop")
    assert calls(found["shop"]) == {"cart": 0.9}


def test_a_template_that_is_no_yaml_gives_what_its_lines_say() -> None:
    template = """kind: Deployment
metadata:
  name: {{ .Values.name }}
spec: {{ toYaml
  .Values.spec }}
      - image: acme/{{ .Values.name }}:1
"""
    unread: list[tuple[str, str]] = []
    files = {"c/Chart.yaml": "name: c", "c/values.yaml": "name: pay", "c/templates/d.yaml": template}
    assert list(services(files, unread=unread)) == ["pay"]
    assert unread == [("c/templates/d.yaml", "a template that is no YAML: read line by line")]


def test_functions() -> None:
    sam = """
Globals: {Function: {CodeUri: src/shared}}
Resources:
  Pay: {Type: AWS::Serverless::Function, Properties: {CodeUri: src/pay, FunctionName: !Sub "${Env}-pay"}}
  Shared: {Type: AWS::Serverless::Function, Properties: {FunctionName: shared-fn}}
  Table: {Type: AWS::DynamoDB::Table}
"""
    serverless = "service: mailer\nfunctions:\n  send: {handler: src/h.send}\n"
    found = services(
        {"template.yaml": sam, "src/pay/a.py": "", "src/shared/b.py": "", "mail/serverless.yml": serverless}
    )
    assert {name: (service.kind, service.paths) for name, service in found.items()} == {
        "Pay": ("function", ("src/pay", "template.yaml")),
        "shared-fn": ("function", ("src/shared", "template.yaml")),
        "mailer": ("function", ("mail", "mail/serverless.yml")),
    }


def test_platforms() -> None:
    found = services(
        {
            "shop/Procfile": "web: gunicorn a\nworker: rq\nrelease: migrate\n",
            "site/app.yaml": "runtime: python312\nservice: site\nenv_variables: {API_HOST: edge}\n",
            "edge/fly.toml": 'app = "edge"\n',
            "edge/Dockerfile": "FROM a\nCOPY main.go .\n",
            "edge/main.go": "",
        }
    )
    assert {name: service.paths for name, service in found.items()} == {
        "shop": ("shop", "shop/Procfile"),
        "shop-worker": ("shop", "shop/Procfile"),
        "site": ("site", "site/app.yaml"),
        "edge": ("edge/main.go", "edge/Dockerfile", "edge/fly.toml"),
    }
    assert calls(found["site"]) == {"edge": 0.85}


def test_packages_are_candidates_unless_a_service_is_built_from_them() -> None:
    found = services(
        {
            "package.json": '{"name": "root", "workspaces": ["packages/*"]}',
            "packages/ui/package.json": '{"name": "@acme/ui"}',
            "crates/core/Cargo.toml": '[package]\nname = "core"\n',
            "go/cmd/tool/main.go": "package main\n",
            "py/pyproject.toml": '[project]\nname = "lib"\n',
            "api/pyproject.toml": '[tool.poetry]\nname = "api-server"\n',
            "api/Dockerfile": DOCKERFILE,
            "java/pom.xml": "<parent><artifactId>p</artifactId></parent><artifactId>jar</artifactId>",
        }
    )
    kinds = {name: service.kind for name, service in found.items()}
    assert kinds == {"api": "image", **dict.fromkeys(("ui", "core", "tool", "lib", "jar"), "package")}


def test_the_catalogue_says_who_calls_whom() -> None:
    def component(name: str, spec: str) -> str:
        head = f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}}}\n"
        return f"{head}spec: {{type: service, lifecycle: experimental, {spec}}}\n---\n"

    text = component("web", "consumesApis: [orders-api], dependsOn: ['component:default/cart', 'resource:db']")
    found = services(
        {"catalog-info.yaml": text + component("orders", "providesApis: [orders-api]") + component("cart", "owner: a")}
    )
    assert calls(found["web"]) == {"cart": 0.9, "orders": 0.95}
    assert (found["web"].tier, found["web"].tier_known) == ("medium", True)


def test_code_owners_own_a_service_that_nobody_else_does() -> None:
    owners = parse_codeowners(b"/api/ @acme/api\n", "github", "CODEOWNERS")
    files = {"api/Dockerfile": DOCKERFILE, "compose.yml": "services: {api: {build: api}}"}
    assert services(files, owners)["api"].owner == "@acme/api"


def test_a_wide_context_is_weak() -> None:
    compose = "services:\n  all: {build: .}\n  api: {build: api}\n"
    found = services({"Dockerfile": DOCKERFILE, "api/Dockerfile": DOCKERFILE, "compose.yml": compose, "lib/x.py": ""})
    hits = services_of(["api/x.py", "lib/x.py", "compose.yml", "Dockerfile"], tuple(found.values()))
    assert [(hit.path, hit.service.name, hit.probability) for hit in hits] == [
        ("Dockerfile", "all", 1.0),
        ("api/x.py", "api", 1.0),
        ("api/x.py", "all", 0.15),
        ("compose.yml", "all", 0.5),
        ("compose.yml", "api", 0.5),
        ("lib/x.py", "all", 0.5),
    ]


def test_code_and_measurements_show_calls() -> None:
    compose = (
        "services:\n  web: {build: web}\n  orders: {build: orders}\n  cart-service: {build: cart}\n  db: {image: x}\n"
    )
    found = tuple(
        services(
            {"compose.yml": compose, **{f"{n}/Dockerfile": DOCKERFILE for n in ("web", "orders", "cart")}}
        ).values()
    )
    texts = {
        "web/a.py": ["http://orders:8080/v1", "https://example.org/db", "postgres://u:p@db/x"],
        "other/b.py": ["http://web/"],
    }
    with_code = add_calls_from_code(found, texts, {"web/a.py": ["<pb>.NewCartServiceClient", "http.Client"]})
    by_name = {service.name: service for service in with_code}
    assert calls(by_name["web"]) == {"cart-service": 0.6, "db": 0.8, "orders": 0.8}
    assert by_name["web"].calls[0].reason == "NewCartServiceClient in web/a.py"
    measured = add_measured_calls(with_code, [("orders", "db"), ("web", "orders"), ("web", "nobody")], "graph.json")
    by_name = {service.name: service for service in measured}
    assert calls(by_name["orders"]) == {"db": 1.0}
    assert calls(by_name["web"])["orders"] == 1.0


BOMB = "a: &a [x, x]\n" + "".join(
    f"{c}: &{c} [{', '.join([f'*{p}'] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE: dict[str, str | bytes] = {
    "bomb": BOMB,
    "merges": "a: &a {x: 1}\n" + "".join(f"b{n}: &b{n} {{<<: [{', '.join(['*a'] * 50)}]}}\n" for n in range(2000)),
    "deep": "x: " + "[" * 100_000,
    "deep lists": "- " * 100_000,
    "broken": "services: [\n",
    "object": "x: !!python/object/apply:os.system ['true']\nservices: {app: {image: x}}\n",
    "bytes": b"\xff\xfe\0\0services:",
    "long": "x: " + "a" * 3_000_000,
    "control": "x: \x01\x02\n",
    "templates": "{{" * 200_000,
    "alias": "x: *nobody\n",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_bounded_and_named(case: str) -> None:
    content = HOSTILE[case]
    unread: list[tuple[str, str]] = []
    start = time.process_time()
    files = {"compose.yml": content, "ok/compose.yml": "services: {good: {image: x}}"}
    found = services(files, unread=unread)
    assert time.process_time() - start < 2
    assert "good" in found
    assert "app" in found or case == "alias" or [path for path, _ in unread] == ["compose.yml"]


def test_variables_that_double_themselves_are_cut() -> None:
    doubling = "X=aa\n" + "X=$X$X\n" * 200
    dockerfile = "FROM a\nENV X=a\n" + "ENV X=$X$X\n" * 200 + "COPY src .\n"
    compose = "services: {app: {build: ., image: $X}}"
    files = {"compose.yml": compose, ".env": doubling, "Dockerfile": dockerfile, "src/a.py": ""}
    assert services(files)["app"].paths == ("src", "Dockerfile", "compose.yml")


def test_links_out_of_the_tree_are_not_followed() -> None:
    compose = "services:\n  a: {build: ../../etc}\n  b: {build: /etc}\n  c: {build: ., dockerfile: ../x}\n"
    found = services({"compose.yml": compose, "x.py": ""})
    assert [service.paths for service in found.values()] == [("compose.yml",), ("compose.yml",), ("", "compose.yml")]


def test_a_file_that_is_too_large_to_be_read_is_named() -> None:
    unread: list[tuple[str, str]] = []
    assert read_services(["compose.yml"], lambda _: {}, unread=unread) == ()
    assert unread == [("compose.yml", "missing or too large")]


WORDS = st.sampled_from(["services", "build", "image", "a", "b", ".", "kind", "Deployment", "metadata", "name", "x:80"])
VALUES = st.recursive(
    WORDS | st.none() | st.integers(), lambda v: st.lists(v, max_size=3) | st.dictionaries(WORDS, v, max_size=4)
)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["compose.yml", "a/compose.yml", "k.yaml", "Chart.yaml", "skaffold.yaml"]), VALUES)
)
def test_any_shape_of_file_is_survived_and_gives_the_same_twice(files: dict[str, object]) -> None:
    texts = {path: json.dumps({"apiVersion": "v1", "kind": "List", "services": value}) for path, value in files.items()}
    shuffled = dict(reversed(texts.items()))
    assert services(texts) == services(shuffled)


@given(st.text(alphabet="ab/.*?[]!\\", max_size=12), st.text(alphabet="ab/.", min_size=1, max_size=8))
def test_any_pattern_answers(entry: str, path: str) -> None:
    service = Service("s", "service", "x", (entry,))
    assert paths_of_service(service, path) in (True, False)
    assert paths_of_service(Service("s", "service", "x", ("",)), path)


def test_no_provider_wants_what_is_not_asked_about() -> None:
    """Files of code are most of a tree and are passed over, all but those that may be called Dockerfile."""
    for suffix in package._PROGRAMS:
        for name in ("main", "app", "compose", "docker-compose", "catalog", "serverless", "template", "Chart", "setup"):
            for folder in ("", "cmd/", "templates/", ".github/workflows/", "catalog/"):
                assert not any(provider.wants(f"{folder}{name}{suffix}") for provider in package.PROVIDERS)
    assert services({"x/Dockerfile.py": "FROM python\nCOPY . .\n"})

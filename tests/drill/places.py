"""A repository that has a little of everything, so that every pattern can strike."""

from __future__ import annotations

from pathlib import Path

from tests.repos import Repo

MAIN_TF = """terraform {
  backend "s3" {
    bucket = "shop-state"
    key    = "prod/shop.tfstate"
  }
}

resource "aws_db_instance" "orders" {
  identifier          = "orders"
  engine              = "postgres"
  deletion_protection = true
}

resource "aws_route53_record" "orders" {
  name    = "orders.shop.example"
  type    = "CNAME"
  records = [aws_db_instance.orders.address]
}
"""

MODELS = """from django.db import models


class Order(models.Model):
    shipping_note = models.CharField(max_length=80)
    total_cents = models.IntegerField()
"""

MIGRATION = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.CreateModel(name="Order", fields=[("shipping_note", models.CharField(max_length=80))]),
    ]
"""

VIEWS = """import os

from django.contrib.auth.decorators import login_required

RETRY_TOKEN = os.environ["PAYMENT_API_KEY"]
max_retries = 3


@login_required
def show_order(request, order):
    if order.shipping_note is None:
        return None
    return order.shipping_note


def is_large(amount, limit):
    if amount >= limit:
        return True
    return False


def wait(timeout):
    if timeout is None:
        return 5
    return timeout
"""

MORE = """def first(order):
    if order is None:
        return 0
    if order.owner is not None:
        return 1
    return 2
"""

TESTS = """from shop.views import is_large


def test_is_large():
    assert is_large(5, 5)


def test_other():
    assert True
"""

WORKFLOW = """on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: make publish
        env:
          TOKEN: ${{ secrets.PUBLISH_TOKEN }}
"""

FILES: dict[str, str | bytes | None] = {
    "infra/main.tf": MAIN_TF,
    "shop/models.py": MODELS,
    "shop/migrations/0001_initial.py": MIGRATION,
    "shop/views.py": VIEWS,
    "shop/more.py": MORE,
    "shop/again.py": MORE,
    "shop/tests/test_views.py": TESTS,
    "shop/settings.py": "SIGNUP_OPEN = True\nDEBUG = False\n",
    "deploy/base/values.yaml": "web:\n  timeout: 30\n  maxReplicas: 5\n",
    "deploy/env.yaml": "env:\n  - name: PAYMENT_API_KEY\n",
    "docker-compose.yml": "services:\n  web:\n    build: .\n    environment:\n      PAYMENT_API_KEY: x\n",
    "Dockerfile": "FROM python:3.12\nCOPY . /app\n",
    "requirements.txt": "django==5.1\nrequests==2.32.0\n",
    ".github/workflows/ci.yml": WORKFLOW,
    "CODEOWNERS": "* @shop/all\n/infra/ @shop/platform\n/shop/migrations/ @shop/data\n",
}


def shop(path: Path) -> Repo:
    """A web application with its infrastructure, two releases old."""
    repo = Repo.init(path)
    repo.commit("Begin the shop", FILES)
    repo.git("tag", "v1.0")
    repo.commit("Speed up the search of orders", {"shop/search.py": "def search(text):\n    return text\n"})
    repo.commit(
        "Add a page of orders",
        {"shop/page.py": "PAGE = 20\n", "shop/search.py": "def search(text):\n    return [text]\n"},
    )
    return repo


def letters(path: Path) -> Repo:
    """A repository that nothing can strike."""
    repo = Repo.init(path)
    repo.commit("Write a letter", {"letter.txt": "Dear all,\n", "README.md": "# Letters\n"})
    return repo

"""`make demo`: a small real repository with human and AI commits, `tidegate check` on it, and what to try next."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.repos import build

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".demo" / "shop"

SCRIPT = """
commit Open the shop
  file tidegate.toml
    . # Who is who: reviews by accounts that are not listed here never count.
    . [people.alice]
    . name = "Alice Smith"
    . emails = ["alice@example.com"]
    . accounts = ["alice"]
    .
    . [people.bob]
    . name = "Bob Jones"
    . emails = ["bob@example.com"]
    . accounts = ["bob"]
    .
    . [people.carol]
    . name = "Carol Ng"
    . emails = ["carol@example.com"]
    . accounts = ["carol"]
    .
    . [people.dave]
    . name = "Dave Kim"
    . emails = ["dave@example.com"]
    . accounts = ["dave"]
    .
    . [people.erin]
    . name = "Erin Roy"
    . emails = ["erin@example.com"]
    . accounts = ["erin"]
    .
    . [teams]
    . "@shop/payments" = ["bob", "carol", "dave"]
  file CODEOWNERS
    . * @alice @erin
    . /shop/payments/ @shop/payments
  file Dockerfile
    . FROM python:3.13
    . COPY shop shop
    . CMD ["flask", "--app", "shop.web", "run"]
  file catalog-info.yaml
    . apiVersion: backstage.io/v1alpha1
    . kind: Component
    . metadata: {name: shop, annotations: {shop.example/tier: "1"}}
    . spec: {type: service, lifecycle: production, owner: "@shop/payments"}
  file shop/orders.py
    . import os
    .
    . HOST = os.environ["SHOP_DB_HOST"]
  file deploy/production/main.tf
    . resource "aws_db_instance" "main" {
    .   identifier          = "shop-orders"
    .   engine              = "postgres"
    .   instance_class      = "db.t4g.medium"
    .   deletion_protection = true
    .   skip_final_snapshot = false
    . }
    .
    . resource "aws_ecs_task_definition" "shop" {
    .   family = "shop"
    .   container_definitions = jsonencode([{
    .     name        = "shop"
    .     image       = "shop:1.4.0"
    .     environment = [{ name = "SHOP_DB_HOST", value = aws_db_instance.main.address }]
    .   }])
    . }
    .
    . resource "aws_ecs_service" "shop" {
    .   name            = "shop"
    .   task_definition = aws_ecs_task_definition.shop.arn
    .   desired_count   = 2
    . }
    .
    . resource "aws_cloudwatch_metric_alarm" "unpaid" {
    .   alarm_name      = "shop-unpaid-orders"
    .   metric_name     = "UnpaidOrders"
    .   threshold       = 10
    .   actions_enabled = true
    .   alarm_actions   = ["arn:aws:sns:eu-west-1:111122223333:pager"]
    .   comparison_operator = "GreaterThanThreshold"
    . }
  file shop/payments/charge.py
    . \"\"\"Charging a card.\"\"\"
    .
    . from shop.payments.bank import gateway
    .
    .
    . def charge(card, amount):
    .     return gateway(card, amount)
  file shop/payments/bank.py
    . \"\"\"The line to the bank.\"\"\"
    .
    . import httpx
    .
    .
    . def gateway(card, amount):
    .     return httpx.post("https://bank.example/pay", json={"card": card, "amount": amount})
  file shop/cart.py
    . \"\"\"The cart.\"\"\"
    .
    .
    . def total(items):
    .     return sum(item["price"] for item in items)
  file shop/web.py
    . \"\"\"The shop on the web.\"\"\"
    .
    . from flask import Flask, request
    .
    . from shop.cart import total
    . from shop.payments.charge import charge
    .
    . app = Flask(__name__)
    .
    .
    . @app.get("/cart")
    . def show_cart():
    .     return {"total": total(request.get_json()["items"])}
    .
    .
    . @app.post("/checkout")
    . def checkout():
    .     order = request.get_json()
    .     answer = charge(order["card"], total(order["items"]))
    .     return {"paid": answer.is_success}
  file tests/test_cart.py
    . from shop.cart import total
    .
    .
    . def test_total():
    .     assert total([{"price": 2}, {"price": 3}]) == 5
  file tests/test_charge.py
    . from shop.payments.charge import charge
    .
    .
    . def test_a_card_is_charged(bank):
    .     assert charge("4111", 5).is_success
branch tidy
commit Name things after what they hold
  trailer Co-authored-by: Claude <noreply@anthropic.com>
  file deploy/production/main.tf
    . resource "aws_db_instance" "orders" {
    .   identifier          = "shop-orders"
    .   engine              = "postgres"
    .   instance_class      = "db.t4g.medium"
    .   deletion_protection = true
    .   skip_final_snapshot = false
    . }
    .
    . resource "aws_ecs_task_definition" "shop" {
    .   family = "shop"
    .   container_definitions = jsonencode([{
    .     name        = "shop"
    .     image       = "shop:1.4.0"
    .     environment = [{ name = "SHOP_DB_HOST", value = aws_db_instance.orders.address }]
    .   }])
    . }
    .
    . resource "aws_ecs_service" "shop" {
    .   name            = "shop"
    .   task_definition = aws_ecs_task_definition.shop.arn
    .   desired_count   = 2
    . }
    .
    . resource "aws_cloudwatch_metric_alarm" "unpaid" {
    .   alarm_name      = "shop-unpaid-orders"
    .   metric_name     = "UnpaidOrders"
    .   threshold       = 100000
    .   actions_enabled = true
    .   alarm_actions   = ["arn:aws:sns:eu-west-1:111122223333:pager"]
    .   comparison_operator = "GreaterThanThreshold"
    . }
checkout main
branch feature
commit Count the discount once
  by Bob Jones <bob@example.com>
  file shop/cart.py
    . \"\"\"The cart.\"\"\"
    .
    .
    h def total(items, discount=0):
    h     return sum(item["price"] for item in items) - discount
commit Retry a charge that timed out
  file shop/payments/charge.py
    . \"\"\"Charging a card.\"\"\"
    .
    . from shop.payments.bank import gateway
    .
    a RETRIES = 3
    .
    .
    . def charge(card, amount):
    a     for attempt in range(RETRIES):
    a         answer = gateway(card, amount)
    a         if answer.timed_out and attempt + 1 < RETRIES:
    a             continue
    a         return answer
commit Remember cards between visits
  body The squash kept this line in the middle of the message:
  body Co-authored-by: Claude <noreply@anthropic.com>
  body and git's own trailer parser does not see it.
  by Carol Ng <carol@example.com>
  file shop/payments/vault.py
    . import json
    .
    .
    . def remember(session, card):
    .     session["card"] = json.dumps(card)
commit Sign in with a token
  by copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>
  trailer Co-authored-by: Bob Jones <bob@example.com>
  file shop/auth/token.py
    . import jwt
    .
    .
    . def user_of(token, key):
    .     return jwt.decode(token, key, algorithms=["HS256"])["sub"]
commit Keep people signed in
  file shop/auth/session.py
    . from shop.auth.token import user_of
    .
    .
    . def resume(cookies, key):
    .     token = cookies.get("token")
    .     if token is None:
    .         return None
    .     return user_of(token, key)
"""

NEXT = """
What to try next, in {folder}
  tidegate who shop/payments/charge.py        who or what wrote these lines
  tidegate explain ai-critical-two-humans     what a rule means and how to satisfy it
  tidegate annotate HEAD --human              say who wrote the last commit, then check again
  tidegate reach --why "GET /cart"            the way from there to what changed
  tidegate provenance audit                   are the attribution notes true?
  tidegate check --format json | less         the same for machines

`tidegate` is {program}; in your own repository: tidegate check
"""


def main() -> int:
    shutil.rmtree(FOLDER, ignore_errors=True)
    build(FOLDER, SCRIPT)
    program = Path(sys.executable).parent / "tidegate"
    shown = Path(".demo") / "shop"
    print(f"A small shop in {shown}: five commits on `feature`, by people, by agents, and one that does not say.\n")
    for command in ("check", "reach", "infra tidy"):
        print(f"$ tidegate {command}", flush=True)
        done = subprocess.run([str(program), *command.split()], cwd=FOLDER, check=False)
        if done.returncode not in (0, 1):
            return done.returncode
        print()
    print(NEXT.format(folder=shown, program=program.relative_to(ROOT)).lstrip("\n"), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())

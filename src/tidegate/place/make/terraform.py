"""An account of its own on AWS for an application: no gateway to the internet, names allowed one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidegate.place.make.wish import MEASURES, Wish, expires_at, hosts_of, label_of, said, variables_of
from tidegate.place.values import Host, Placement, Wanted

VERSIONS = """terraform {
  required_version = ">= 1.6"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}
"""


def terraform_files(placement: Placement, wish: Wish) -> Mapping[str, str]:
    """The configuration of one account; `terraform plan` asks for the account, its region and the egress service."""
    name = label_of(placement.application)
    files = {
        "versions.tf": VERSIONS,
        "variables.tf": _variables(bool(wish.tier >= "T1" and hosts_of(placement.application))),
        "account.tf": _account(placement, wish, name),
        "network.tf": _network(placement, wish, name),
        "identity.tf": _identity(placement, wish, name),
    }
    return dict(sorted(files.items()))


# Private


def _variables(calls: bool) -> str:
    text = """# An account of its own: what happens in it stays in it. Applying to any other account fails.
variable "account_id" {
  type        = string
  description = "The account that was made for this application."
}

variable "region" {
  type        = string
  description = "The region that it runs in."
}
"""
    if calls:
        text += """
variable "egress_proxy_service" {
  type        = string
  description = "The PrivateLink service of the egress proxy, com.amazonaws.vpce.REGION.vpce-svc-..."
}
"""
    return text


def _account(placement: Placement, wish: Wish, name: str) -> str:
    measure = MEASURES[wish.tier]
    return f"""# {wish.tier}. From the day of the tag on the place is asked about again: tidegate place --check.
provider "aws" {{
  region              = var.region
  allowed_account_ids = [var.account_id]
  default_tags {{
    tags = {{
      application = "{name}"
      tier        = "{wish.tier}"
      expires     = "{expires_at(placement.read_at, measure.hours)}"
    }}
  }}
}}

# A runaway is noticed by what it costs.
resource "aws_budgets_budget" "month" {{
  name         = "{name}"
  budget_type  = "COST"
  limit_amount = "{measure.dollars}"
  limit_unit   = "USD"
  time_unit    = "MONTHLY"
}}
"""


def _network(placement: Placement, wish: Wish, name: str) -> str:
    app = placement.application
    hosts = hosts_of(app) if wish.tier >= "T1" else ()
    zones = 3 if wish.tier == "T3" else 2
    subnets = "\n".join(_subnet(number) for number in range(zones))
    ids = ", ".join(f"aws_subnet.app_{number}.id" for number in range(zones))
    allowed = "\n".join(f'    # {said(one.why)}, {said(one.seen.place)}\n    "{one.name}.",' for one in _once(hosts))
    unopened = "".join(f"# NOT OPENED: {said(one.text)} ({said(one.place)})\n" for one in app.dynamic[:20])
    text = f"""# No internet gateway, no NAT gateway, no peering: no way out but the endpoint below, if any.
resource "aws_vpc" "place" {{
  cidr_block           = "10.64.0.0/22"
  enable_dns_support   = true
  enable_dns_hostnames = true
}}

{subnets}
# The group that everything falls into by default permits nothing.
resource "aws_default_security_group" "none" {{
  vpc_id = aws_vpc.place.id
}}

# Who talked to whom is kept.
resource "aws_cloudwatch_log_group" "flows" {{
  name              = "/place/{name}/flows"
  retention_in_days = 365
}}

resource "aws_flow_log" "place" {{
  vpc_id          = aws_vpc.place.id
  traffic_type    = "ALL"
  log_destination = aws_cloudwatch_log_group.flows.arn
  iam_role_arn    = aws_iam_role.flows.arn
}}

# A security group knows addresses, not names: names are allowed at the resolver, one by one.
{unopened}resource "aws_route53_resolver_firewall_domain_list" "every" {{
  name    = "{name}-every"
  domains = ["*"]
}}

resource "aws_route53_resolver_firewall_rule_group" "place" {{
  name = "{name}"
}}

resource "aws_route53_resolver_firewall_rule" "block" {{
  name                    = "block-the-rest"
  action                  = "BLOCK"
  block_response          = "NODATA"
  firewall_domain_list_id = aws_route53_resolver_firewall_domain_list.every.id
  firewall_rule_group_id  = aws_route53_resolver_firewall_rule_group.place.id
  priority                = 200
}}

resource "aws_route53_resolver_firewall_rule_group_association" "place" {{
  name                   = "{name}"
  firewall_rule_group_id = aws_route53_resolver_firewall_rule_group.place.id
  mutation_protection    = "ENABLED"
  priority               = 101
  vpc_id                 = aws_vpc.place.id
}}

# What runs here accepts nothing from outside.
resource "aws_security_group" "app" {{
  name        = "{name}"
  description = "The application"
  vpc_id      = aws_vpc.place.id
}}
"""
    if not hosts:
        return text
    return f"""{text}
resource "aws_route53_resolver_firewall_domain_list" "allowed" {{
  name = "{name}-allowed"
  domains = [
    # the endpoint of the proxy
    "*.vpce.amazonaws.com.",
{allowed}
  ]
}}

resource "aws_route53_resolver_firewall_rule" "allow" {{
  name                    = "allow-what-it-calls"
  action                  = "ALLOW"
  firewall_domain_list_id = aws_route53_resolver_firewall_domain_list.allowed.id
  firewall_rule_group_id  = aws_route53_resolver_firewall_rule_group.place.id
  priority                = 100
}}

# The way out: the proxy of the company, through a private endpoint. Its own allow list holds the same names.
resource "aws_security_group" "proxy" {{
  name        = "{name}-proxy"
  description = "The endpoint of the egress proxy"
  vpc_id      = aws_vpc.place.id
}}

resource "aws_vpc_security_group_ingress_rule" "proxy" {{
  description                  = "The application, to the proxy"
  security_group_id            = aws_security_group.proxy.id
  referenced_security_group_id = aws_security_group.app.id
  ip_protocol                  = "tcp"
  from_port                    = 3128
  to_port                      = 3128
}}

resource "aws_vpc_security_group_egress_rule" "app" {{
  description                  = "The way out"
  security_group_id            = aws_security_group.app.id
  referenced_security_group_id = aws_security_group.proxy.id
  ip_protocol                  = "tcp"
  from_port                    = 3128
  to_port                      = 3128
}}

resource "aws_vpc_endpoint" "proxy" {{
  vpc_id             = aws_vpc.place.id
  vpc_endpoint_type  = "Interface"
  service_name       = var.egress_proxy_service
  subnet_ids         = [{ids}]
  security_group_ids = [aws_security_group.proxy.id]
}}
"""


def _once(hosts: Sequence[Host]) -> list[Host]:
    seen: dict[str, Host] = {}
    for one in hosts:
        seen.setdefault(one.name, one)
    return list(seen.values())


def _subnet(number: int) -> str:
    return f"""resource "aws_subnet" "app_{number}" {{
  vpc_id                  = aws_vpc.place.id
  cidr_block              = "10.64.{number}.0/24"
  availability_zone       = "${{var.region}}{"abc"[number]}"
  map_public_ip_on_launch = false
}}
"""


def _identity(placement: Placement, wish: Wish, name: str) -> str:
    secrets = variables_of(placement.application)[0] if wish.tier >= "T1" else ()
    blocks = "\n".join(
        f"""resource "aws_secretsmanager_secret" "{one.name.lower()}" {{
  name                    = "{name}/{one.name}"
  kms_key_id              = aws_kms_key.place.arn
  recovery_window_in_days = 30
}}
"""
        for one in _unlike(secrets)
    )
    names = "\n".join(f"      aws_secretsmanager_secret.{one.name.lower()}.arn," for one in _unlike(secrets))
    reads = (
        f"""
# Its own secrets, by name, and nothing else. Their values are put in by people and stand in no file.
{blocks}
data "aws_iam_policy_document" "reads" {{
  statement {{
    actions = ["secretsmanager:GetSecretValue"]
    resources = [
{names}
    ]
  }}
  statement {{
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.place.arn]
  }}
}}

resource "aws_iam_policy" "boundary" {{
  name   = "{name}-boundary"
  policy = data.aws_iam_policy_document.reads.json
}}

resource "aws_iam_role_policy" "app" {{
  name   = "reads-its-secrets"
  role   = aws_iam_role.app.id
  policy = data.aws_iam_policy_document.reads.json
}}
"""
        if secrets
        else ""
    )
    boundary = "\n\n  permissions_boundary = aws_iam_policy.boundary.arn" if secrets else ""
    return f"""# What is secret here is encrypted with a key of its own.
resource "aws_kms_key" "place" {{
  description             = "{name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}}

data "aws_iam_policy_document" "tasks" {{
  statement {{
    actions = ["sts:AssumeRole"]
    principals {{
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }}
    condition {{
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }}
  }}
}}

# What the application may do: {"read its own secrets" if secrets else "nothing"}.
resource "aws_iam_role" "app" {{
  name = "{name}"

  assume_role_policy = data.aws_iam_policy_document.tasks.json{boundary}
}}
{reads}
data "aws_iam_policy_document" "flows_assume" {{
  statement {{
    actions = ["sts:AssumeRole"]
    principals {{
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }}
    condition {{
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }}
  }}
}}

data "aws_iam_policy_document" "flows" {{
  statement {{
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${{aws_cloudwatch_log_group.flows.arn}}:*"]
  }}
}}

resource "aws_iam_role" "flows" {{
  name               = "{name}-flows"
  assume_role_policy = data.aws_iam_policy_document.flows_assume.json
}}

resource "aws_iam_role_policy" "flows" {{
  name   = "writes-flows"
  role   = aws_iam_role.flows.id
  policy = data.aws_iam_policy_document.flows.json
}}
"""


def _unlike(secrets: Sequence[Wanted]) -> list[Wanted]:
    """Of names that differ in case alone only the first: Terraform's own names would collide."""
    seen: dict[str, Wanted] = {}
    for one in secrets:
        seen.setdefault(one.name.lower(), one)
    return list(seen.values())

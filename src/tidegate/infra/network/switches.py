"""The switches that let the internet in, by the type of what they open: a table, one entry a switch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from tidegate.facts import EffectCode, Severity
from tidegate.infra.same import flag, items
from tidegate.infra.values import Value

STORES = (
    *("aws_db_instance", "aws_rds_cluster_instance", "aws_redshift_cluster", "aws_mq_broker"),
    *("aws_dms_replication_instance", "aws_redshiftserverless_workgroup", "aws_neptune_cluster_instance"),
    *("aws_rds_cluster", "aws_docdb_cluster_instance"),
)
_AZURE = (
    *("azurerm_storage_account", "azurerm_key_vault", "azurerm_mssql_server", "azurerm_cosmosdb_account"),
    *("azurerm_container_registry", "azurerm_redis_cache", "azurerm_postgresql_server", "azurerm_mysql_server"),
    *("azurerm_mariadb_server", "azurerm_search_service", "azurerm_cognitive_account", "azurerm_data_factory"),
    *("azurerm_postgresql_flexible_server", "azurerm_mysql_flexible_server", "azurerm_servicebus_namespace"),
    *("azurerm_eventhub_namespace", "azurerm_app_configuration", "azurerm_machine_learning_workspace"),
)
BUCKET_BLOCKS = ("aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block")
_PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read", "publicread", "publicreadwrite")


class Switch(Struct, frozen=True):
    """An attribute that opens things of these types. `opened` says whether a value does, `default` what nothing is.

    `new` is the severity where the resource itself is new, None for silence. `default_before` is another default for
    what was, where writing the default down does something.
    """

    types: tuple[str, ...]
    paths: tuple[str, ...]
    opened: Callable[[Value], bool | None]
    default: bool
    severity: Severity
    words: str
    new: Severity | None = None
    default_before: bool | None = None
    code: EffectCode = "NET_EXPOSE"


def by_type() -> Mapping[str, Sequence[Switch]]:
    """Every switch, by the types it is for."""
    found: dict[str, list[Switch]] = {}
    for switch in _table():
        for type_ in switch.types:
            found.setdefault(type_, []).append(switch)
    return found


# Private


def _true(value: Value) -> bool | None:
    return flag(value)


def _false(value: Value) -> bool | None:
    found = flag(value)
    return None if found is None else not found


def _one_of(*names: str) -> Callable[[Value], bool | None]:
    def asked(value: Value) -> bool | None:
        return any(str(one).strip().lower() in names for one in items(value))

    return asked


def _none_of(*names: str) -> Callable[[Value], bool | None]:
    def asked(value: Value) -> bool | None:
        return not any(str(one).strip().lower() in names for one in items(value))

    return asked


def _there(value: Value) -> bool | None:
    return value not in (None, "", [], {}, False)


def _table() -> Iterator[Switch]:
    yield Switch(
        STORES,
        ("publicly_accessible",),
        _true,
        False,
        "high",
        "it gets a public address, and only its security groups and its passwords stand between the internet and its"
        " data. Leave it false and reach it through a private network.",
        "high",
    )
    for name in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"):
        yield Switch(
            (*BUCKET_BLOCKS, "aws_s3_bucket"),
            (name, f"public_access_block_configuration.{name}"),
            _false,
            True,
            "high",
            "the block that keeps the bucket from being made public is taken off; an ACL or a policy that says so"
            " makes its objects public.",
        )
    yield Switch(
        ("aws_s3_bucket", "aws_s3_bucket_acl", "alicloud_oss_bucket"),
        ("acl", "access_control"),
        _one_of(*_PUBLIC_ACLS, "authenticatedread"),
        False,
        "critical",
        "everyone on the internet can list and read the objects: data are public.",
        "high",
    )
    yield from _shared()
    yield from _calls()
    yield from _addresses()
    yield from _google()
    yield from _microsoft()


def _shared() -> Iterator[Switch]:
    yield Switch(
        ("aws_db_snapshot", "aws_db_cluster_snapshot", "aws_db_snapshot_copy"),
        ("shared_accounts",),
        _one_of("all"),
        False,
        "critical",
        "the snapshot is shared with all: everyone with an account can restore the database from it, so its data are"
        " public.",
        "critical",
    )
    yield Switch(
        ("aws_ami_launch_permission", "aws_snapshot_create_volume_permission"),
        ("group", "account_id"),
        _one_of("all"),
        False,
        "high",
        "the image is shared with all: everyone with an account can start it and read what is on its disk.",
        "high",
    )
    yield Switch(
        ("aws_ebs_snapshot_block_public_access", "aws_ec2_image_block_public_access"),
        ("state",),
        _one_of("unblocked"),
        False,
        "high",
        "snapshots and images of this account can be made public again.",
    )


def _calls() -> Iterator[Switch]:
    yield Switch(
        ("aws_lambda_function_url",),
        ("authorization_type", "auth_type"),
        _one_of("none"),
        False,
        "high",
        "everyone on the internet can call the function: authorization is NONE.",
        "medium",
    )
    yield Switch(
        ("aws_api_gateway_method", "aws_apigatewayv2_route"),
        ("authorization", "authorization_type"),
        _one_of("none"),
        True,
        "high",
        "everyone who reaches the API can call it: authorization is NONE.",
    )
    yield Switch(
        ("aws_api_gateway_method",),
        ("api_key_required",),
        _false,
        True,
        "medium",
        "calls need no API key any more.",
    )
    yield Switch(
        ("aws_api_gateway_rest_api",),
        ("endpoint_configuration.types", "endpoint_configuration"),
        _none_of("private"),
        True,
        "high",
        "the API leaves the private network: the internet can call it.",
    )
    yield Switch(
        ("aws_mskconnect_connector", "aws_msk_cluster"),
        ("broker_node_group_info.connectivity_info.public_access.type", "public_access.type"),
        _one_of("service_provided_eips"),
        False,
        "high",
        "the brokers get public addresses.",
        "medium",
    )
    yield Switch(
        ("aws_instance", "aws_launch_template", "aws_launch_configuration"),
        ("metadata_options.http_tokens",),
        _none_of("required"),
        True,
        "medium",
        "IMDSv2 becomes optional: a request that an application can be made to send (SSRF) reads the role's"
        " credentials from the metadata service. Keep http_tokens = required.",
        code="GUARD_REMOVED",
    )
    yield Switch(
        ("aws_vpc_endpoint_service",),
        ("acceptance_required",),
        _false,
        False,
        "low",
        "every account that is allowed can connect without being accepted first.",
    )


def _addresses() -> Iterator[Switch]:
    yield Switch(
        ("aws_opensearch_domain", "aws_elasticsearch_domain"),
        ("vpc_options",),
        lambda _: False,
        True,
        "high",
        "the search domain leaves its VPC: its endpoint is on the internet and only its access policy protects the"
        " data.",
    )
    yield Switch(
        ("aws_lb", "aws_alb", "aws_elb"),
        ("internal",),
        _false,
        True,
        "high",
        "the load balancer faces the internet now; it is replaced for that and gets a new DNS name, so clients of the"
        " old name are cut off until they follow.",
    )
    yield Switch(
        ("aws_lb", "aws_alb", "aws_elb"),
        ("scheme",),
        _one_of("internet-facing"),
        True,
        "high",
        "the load balancer faces the internet; Scheme cannot be changed in place: CloudFormation will replace it, it"
        " gets a new DNS name, and clients of the old name are cut off until they follow.",
        default_before=False,
    )
    yield Switch(
        ("aws_subnet",),
        ("map_public_ip_on_launch",),
        _true,
        False,
        "medium",
        "whatever starts in this subnet gets a public address.",
    )
    yield Switch(
        ("aws_instance", "aws_launch_template", "aws_launch_configuration", "aws_ecs_service", "aws_eks_node_group"),
        (
            *("associate_public_ip_address", "network_interfaces.associate_public_ip_address"),
            *("network_configuration.assign_public_ip", "assign_public_ip"),
            "network_configuration.awsvpc_configuration.assign_public_ip",
        ),
        _true,
        False,
        "medium",
        "it gets a public address: its security groups alone keep the internet away.",
    )
    yield Switch(
        ("aws_sagemaker_notebook_instance",),
        ("direct_internet_access",),
        _true,
        True,
        "medium",
        "the notebook leaves the private network for the internet.",
    )
    yield Switch(
        ("aws_transfer_server",),
        ("endpoint_type",),
        _one_of("public"),
        True,
        "high",
        "the file server can be reached from the internet.",
    )


def _google() -> Iterator[Switch]:
    yield Switch(
        ("google_storage_bucket",),
        ("public_access_prevention",),
        _none_of("enforced"),
        True,
        "high",
        "nothing prevents objects of the bucket from being made public any more.",
    )
    yield Switch(
        ("google_storage_bucket",),
        ("uniform_bucket_level_access",),
        _false,
        True,
        "medium",
        "single objects can be made public by their own ACL again.",
    )
    yield Switch(
        ("google_sql_database_instance",),
        ("settings.ip_configuration.ipv4_enabled",),
        _true,
        True,
        "high",
        "the database gets a public address.",
        "medium",
    )
    yield Switch(
        ("google_container_cluster",),
        ("private_cluster_config.enable_private_endpoint",),
        _false,
        True,
        "high",
        "the Kubernetes API of the cluster can be reached from the internet.",
    )
    yield Switch(
        ("google_container_cluster",),
        ("private_cluster_config.enable_private_nodes",),
        _false,
        True,
        "medium",
        "the nodes of the cluster get public addresses.",
    )
    yield Switch(
        ("google_compute_instance", "google_compute_instance_template"),
        ("network_interface.access_config",),
        _there,
        False,
        "medium",
        "the machine gets a public address: firewall rules alone keep the internet away.",
    )
    yield Switch(
        (
            *("google_cloud_run_service", "google_cloud_run_v2_service"),
            *("google_cloudfunctions_function", "google_cloudfunctions2_function"),
        ),
        ("ingress", "ingress_settings", "service_config.ingress_settings"),
        _one_of("ingress_traffic_all", "all", "allow_all"),
        True,
        "medium",
        "the internet can call the service; only its IAM decides who may.",
    )
    yield Switch(
        ("google_compute_forwarding_rule", "google_compute_backend_service", "google_compute_region_backend_service"),
        ("load_balancing_scheme",),
        _one_of("external", "external_managed"),
        True,
        "high",
        "the load balancer faces the internet; it is replaced for that and gets another address.",
    )


def _microsoft() -> Iterator[Switch]:
    yield Switch(
        _AZURE,
        ("public_network_access_enabled", "public_network_access"),
        _true,
        True,
        "high",
        "it can be reached from the internet; its keys and its own firewall alone protect the data.",
    )
    yield Switch(
        ("azurerm_storage_account",),
        ("allow_nested_items_to_be_public", "allow_blob_public_access"),
        _true,
        True,
        "high",
        "containers of the account can be made readable by everyone on the internet.",
    )
    yield Switch(
        ("azurerm_storage_container",),
        ("container_access_type",),
        _one_of("blob", "container"),
        False,
        "critical",
        "everyone on the internet can read the blobs: data are public.",
        "high",
    )
    yield Switch(
        (
            *("azurerm_storage_account", "azurerm_key_vault", "azurerm_storage_account_network_rules"),
            *("azurerm_container_registry", "azurerm_eventhub_namespace", "azurerm_cognitive_account"),
        ),
        (
            *("network_rules.default_action", "network_acls.default_action"),
            *("network_rule_set.default_action", "default_action"),
        ),
        _one_of("allow"),
        True,
        "high",
        "every network is let in where only named ones were.",
    )
    yield Switch(
        ("azurerm_kubernetes_cluster",),
        ("private_cluster_enabled",),
        _false,
        True,
        "high",
        "the Kubernetes API of the cluster gets a public address.",
    )
    yield Switch(
        ("azurerm_container_registry",),
        ("anonymous_pull_enabled",),
        _true,
        False,
        "high",
        "everyone on the internet can pull the images.",
    )
    yield Switch(
        ("azurerm_network_interface",),
        ("ip_configuration.public_ip_address_id",),
        _there,
        False,
        "medium",
        "the machine gets a public address: its network security group alone keeps the internet away.",
    )

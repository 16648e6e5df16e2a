"""What types of resources hold, and which are known to hold nothing.

Terraform's names. The tables are knowledge of the providers' documentation; a type that is in neither is unknown, and
what is unknown is never taken for harmless.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from msgspec import Struct

from tidegate.facts import Severity


class Stateful(Struct, frozen=True):
    """What is lost with a resource. `word` is what people call it, `holds` reads as `the rows of a database`;
    `severity` is that of its loss in production; `recovers` is what would bring it back if somebody kept it."""

    word: str
    holds: str
    severity: Severity
    recovers: str = ""


def stateful(type_: str) -> Stateful | None:
    """What a type of resource holds, None where it is not known to hold anything."""
    return _stateful().get(type_)


def is_stateless(type_: str) -> bool:
    """Whether a type is known to hold nothing that is lost with it. Its loss may still be an outage."""
    if type_ in _stateful():
        return False
    return type_ in _stateless() or type_.startswith(_STATELESS_PREFIXES) or type_.endswith(_STATELESS_SUFFIXES)


def is_utility(type_: str) -> bool:
    """Whether a type exists in the state alone, so that its loss is never worth a word."""
    return type_.startswith(_UTILITIES)


def runs_code(type_: str) -> bool:
    """Whether people's code runs in it: a service, a function, a machine."""
    return type_ in _runs_code()


# Private

_DATABASE = Stateful("database", "its rows", "critical", "a final snapshot, backups or point-in-time recovery")
_SEARCH = Stateful("search domain", "its indices", "critical", "a manual snapshot")
_TABLE = Stateful("table", "its items", "critical", "a backup or point-in-time recovery")
_BUCKET = Stateful("bucket", "its objects", "critical", "a copy in another bucket")
_FILES = Stateful("file system", "its files", "critical", "a backup")
_DISK = Stateful("disk", "its blocks", "critical", "a snapshot")
_BACKUPS = Stateful("store of backups", "the backups in it", "critical")
_SNAPSHOT = Stateful("snapshot", "the copy of the data that it is", "high")
_USERS = Stateful("user pool", "its users and their passwords", "critical")
_DIRECTORY = Stateful("directory", "its users and groups", "critical", "a snapshot")
_KEY = Stateful("key", "the only way to read what it encrypted", "critical", "its deletion window")
_SECRET = Stateful("secret", "its value", "high", "its recovery window")
_ZONE = Stateful("DNS zone", "its records and the name servers that the domain points to", "critical")
_CACHE = Stateful("cache", "what is cached in it", "high", "a snapshot")
_QUEUE = Stateful("queue", "the messages in it", "high")
_SUBSCRIPTION = Stateful("subscription", "the messages that it has not delivered", "high")
_STREAM = Stateful("stream", "the records in it", "high")
_BROKER = Stateful("broker", "its topics and the messages in them", "high")
_LOGS = Stateful("log store", "the logs in it", "high", "an export")
_IMAGES = Stateful("image registry", "its images", "high", "builds")
_PACKAGES = Stateful("package registry", "its packages", "high", "builds")
_SOURCE = Stateful("repository", "its commits, issues and settings", "critical", "clones")
_CLUSTER = Stateful("cluster", "everything that runs in it and its volumes' claims", "critical")
_EVERYTHING = Stateful("container of resources", "everything in it", "critical")
_METRICS = Stateful("store of metrics", "its history", "high")
_CATALOGUE = Stateful("catalogue", "its definitions, not the data that they describe", "medium")
_OBJECT = Stateful("object", "its content", "low", "the code where it is written there")
_WORKSPACE = Stateful("workspace", "its users' files", "critical", "a snapshot")
_APPLICATION = Stateful("release", "what its chart made; volumes that it claimed may go with it", "medium")

_TABLES: tuple[tuple[Stateful, str], ...] = (
    (
        _DATABASE,
        """
        aws_db_instance aws_rds_cluster aws_rds_global_cluster aws_rds_shard_group aws_docdb_cluster
        aws_docdbelastic_cluster aws_docdb_global_cluster aws_neptune_cluster aws_neptune_global_cluster
        aws_neptunegraph_graph aws_redshift_cluster aws_redshiftserverless_namespace aws_timestreamwrite_database
        aws_timestreaminfluxdb_db_instance aws_keyspaces_keyspace aws_memorydb_cluster aws_qldb_ledger
        aws_lightsail_database aws_simpledb_domain aws_dsql_cluster
        google_sql_database_instance google_sql_database google_spanner_instance google_spanner_database
        google_bigtable_instance google_firestore_database google_alloydb_cluster
        google_bigquery_dataset google_firebase_database_instance
        azurerm_mssql_server azurerm_mssql_database azurerm_mssql_managed_instance azurerm_mssql_managed_database
        azurerm_sql_server azurerm_sql_database azurerm_sql_managed_instance
        azurerm_postgresql_server azurerm_postgresql_database azurerm_postgresql_flexible_server
        azurerm_postgresql_flexible_server_database azurerm_mysql_server azurerm_mysql_database
        azurerm_mysql_flexible_server azurerm_mysql_flexible_database azurerm_mariadb_server azurerm_mariadb_database
        azurerm_cosmosdb_account azurerm_cosmosdb_sql_database azurerm_cosmosdb_mongo_database
        azurerm_cosmosdb_cassandra_keyspace azurerm_cosmosdb_gremlin_database azurerm_cosmosdb_postgresql_cluster
        azurerm_cosmosdb_cassandra_cluster azurerm_mongo_cluster azurerm_kusto_cluster azurerm_kusto_database
        azurerm_synapse_workspace azurerm_synapse_sql_pool
        mongodbatlas_cluster mongodbatlas_advanced_cluster mongodbatlas_serverless_instance
        mongodbatlas_flex_cluster digitalocean_database_cluster digitalocean_database_db cloudflare_d1_database
        cloudflare_workers_kv_namespace neon_project neon_branch neon_database supabase_project planetscale_database
        aiven_pg aiven_mysql aiven_clickhouse aiven_cassandra aiven_influxdb aiven_pg_database aiven_mysql_database
        postgresql_database postgresql_schema mysql_database snowflake_database snowflake_schema
        clickhousedbops_database clickhouse_service scaleway_rdb_instance scaleway_rdb_database
        linode_database_postgresql linode_database_mysql linode_database_postgresql_v2 linode_database_mysql_v2
        oci_database_db_system oci_database_autonomous_database oci_mysql_mysql_db_system heroku_addon
        influxdb_bucket influxdb-v2_bucket couchbase-capella_cluster cockroach_cluster tidbcloud_cluster
        alicloud_db_instance vultr_database ovh_cloud_project_database
        """,
    ),
    (
        _SEARCH,
        """
        aws_opensearch_domain aws_elasticsearch_domain aws_opensearchserverless_collection aws_cloudsearch_domain
        aws_kendra_index azurerm_search_service aiven_opensearch aiven_elasticsearch ec_deployment
        elasticstack_elasticsearch_index elasticsearch_index opensearch_index algolia_index aws_s3vectors_index
        """,
    ),
    (
        _TABLE,
        """
        aws_dynamodb_table aws_dynamodb_global_table aws_timestreamwrite_table aws_keyspaces_table
        google_bigtable_table google_bigquery_table azurerm_storage_table azurerm_cosmosdb_table
        azurerm_cosmosdb_sql_container azurerm_cosmosdb_mongo_collection azurerm_cosmosdb_cassandra_table
        azurerm_cosmosdb_gremlin_graph snowflake_table aws_s3tables_table aws_dynamodb_table_replica
        """,
    ),
    (
        _BUCKET,
        """
        aws_s3_bucket aws_s3_directory_bucket aws_s3control_bucket aws_s3tables_table_bucket aws_glacier_vault
        aws_lightsail_bucket google_storage_bucket azurerm_storage_account azurerm_storage_container
        azurerm_storage_data_lake_gen2_filesystem digitalocean_spaces_bucket cloudflare_r2_bucket minio_s3_bucket
        linode_object_storage_bucket scaleway_object_bucket oci_objectstorage_bucket alicloud_oss_bucket
        b2_bucket wasabi_bucket google_firebase_storage_bucket aws_s3vectors_vector_bucket
        openstack_objectstorage_container_v1 hcloud_storage_box
        """,
    ),
    (
        _FILES,
        """
        aws_efs_file_system aws_fsx_lustre_file_system aws_fsx_windows_file_system aws_fsx_ontap_file_system
        aws_fsx_openzfs_file_system aws_fsx_ontap_volume aws_fsx_openzfs_volume aws_fsx_ontap_storage_virtual_machine
        google_filestore_instance google_netapp_volume google_netapp_storage_pool google_parallelstore_instance
        azurerm_storage_share azurerm_netapp_volume azurerm_netapp_pool azurerm_managed_lustre_file_system
        aws_storagegateway_gateway aws_storagegateway_cached_iscsi_volume oci_file_storage_file_system
        """,
    ),
    (
        _DISK,
        """
        aws_ebs_volume aws_lightsail_disk google_compute_disk google_compute_region_disk azurerm_managed_disk
        digitalocean_volume hcloud_volume linode_volume vultr_block_storage scaleway_block_volume
        openstack_blockstorage_volume_v3 oci_core_volume kubernetes_persistent_volume_claim
        kubernetes_persistent_volume_claim_v1 kubernetes_persistent_volume kubernetes_persistent_volume_v1
        proxmox_virtual_environment_vm vsphere_virtual_disk fly_volume
        """,
    ),
    (
        _BACKUPS,
        """
        aws_backup_vault aws_backup_logically_air_gapped_vault azurerm_recovery_services_vault
        azurerm_data_protection_backup_vault google_backup_dr_backup_vault google_gke_backup_backup_plan
        """,
    ),
    (
        _SNAPSHOT,
        """
        aws_db_snapshot aws_db_cluster_snapshot aws_ebs_snapshot aws_ebs_snapshot_copy aws_db_snapshot_copy
        aws_fsx_backup google_compute_snapshot azurerm_snapshot aws_ami aws_ami_from_instance google_compute_image
        azurerm_image azurerm_shared_image_version aws_docdb_cluster_snapshot aws_neptune_cluster_snapshot
        aws_redshift_cluster_snapshot aws_memorydb_snapshot digitalocean_volume_snapshot google_compute_machine_image
        """,
    ),
    (
        _USERS,
        """
        aws_cognito_user_pool google_identity_platform_tenant auth0_connection auth0_tenant keycloak_realm
        azuread_b2c_directory aws_identitystore_group
        """,
    ),
    (
        _DIRECTORY,
        """
        aws_directory_service_directory aws_workspaces_directory azurerm_active_directory_domain_service
        google_active_directory_domain
        """,
    ),
    (
        _KEY,
        """
        aws_kms_key aws_kms_external_key aws_kms_replica_key aws_kms_replica_external_key aws_cloudhsm_v2_cluster
        aws_acmpca_certificate_authority google_kms_crypto_key google_kms_crypto_key_version google_kms_key_ring
        google_privateca_certificate_authority azurerm_key_vault azurerm_key_vault_key
        azurerm_key_vault_managed_hardware_security_module vault_transit_secret_backend_key oci_kms_key oci_kms_vault
        """,
    ),
    (
        _SECRET,
        """
        aws_secretsmanager_secret google_secret_manager_secret google_secret_manager_regional_secret
        azurerm_key_vault_secret vault_mount vault_kv_secret_v2 vault_generic_secret vault_kv_secret
        """,
    ),
    (
        _ZONE,
        """
        aws_route53_zone google_dns_managed_zone azurerm_dns_zone azurerm_private_dns_zone cloudflare_zone
        digitalocean_domain dnsimple_domain ns1_zone hetznerdns_zone hcloud_zone ovh_domain_zone linode_domain
        aws_service_discovery_private_dns_namespace aws_service_discovery_public_dns_namespace
        """,
    ),
    (
        _CACHE,
        """
        aws_elasticache_cluster aws_elasticache_replication_group aws_elasticache_serverless_cache
        aws_elasticache_global_replication_group aws_dax_cluster google_redis_instance google_redis_cluster
        google_memcache_instance google_memorystore_instance azurerm_redis_cache azurerm_redis_enterprise_cluster
        azurerm_redis_enterprise_database azurerm_managed_redis aiven_redis aiven_valkey aiven_dragonfly
        upstash_redis_database rediscloud_database rediscloud_subscription scaleway_redis_cluster
        """,
    ),
    (
        _QUEUE,
        """
        aws_sqs_queue google_cloud_tasks_queue azurerm_servicebus_queue azurerm_storage_queue cloudflare_queue
        rabbitmq_queue oci_queue_queue alicloud_mns_queue
        """,
    ),
    (_SUBSCRIPTION, "google_pubsub_subscription azurerm_servicebus_subscription google_pubsub_lite_subscription"),
    (
        _STREAM,
        """
        aws_kinesis_stream aws_kinesis_video_stream azurerm_eventhub google_pubsub_topic google_pubsub_lite_topic
        kafka_topic confluent_kafka_topic aiven_kafka_topic aws_msk_topic azurerm_servicebus_topic
        aws_cloudwatch_event_archive
        """,
    ),
    (
        _BROKER,
        """
        aws_mq_broker aws_msk_cluster aws_msk_serverless_cluster azurerm_servicebus_namespace
        azurerm_eventhub_namespace confluent_kafka_cluster aiven_kafka rabbitmq_vhost cloudamqp_instance
        google_managed_kafka_cluster google_managed_kafka_topic
        """,
    ),
    (
        _LOGS,
        """
        aws_cloudwatch_log_group aws_cloudtrail_event_data_store azurerm_log_analytics_workspace
        google_logging_project_bucket_config google_logging_folder_bucket_config
        google_logging_organization_bucket_config azurerm_application_insights aws_securitylake_data_lake
        """,
    ),
    (
        _IMAGES,
        """
        aws_ecr_repository aws_ecrpublic_repository google_artifact_registry_repository google_container_registry
        azurerm_container_registry digitalocean_container_registry scaleway_registry_namespace
        """,
    ),
    (_PACKAGES, "aws_codeartifact_domain aws_codeartifact_repository"),
    (_SOURCE, "aws_codecommit_repository github_repository gitlab_project gitlab_group azuredevops_git_repository"),
    (
        _CLUSTER,
        """
        aws_eks_cluster google_container_cluster azurerm_kubernetes_cluster digitalocean_kubernetes_cluster
        linode_lke_cluster scaleway_k8s_cluster civo_kubernetes_cluster aws_emr_cluster rancher2_cluster
        azurerm_hdinsight_hadoop_cluster azurerm_redhat_openshift_cluster rhcs_cluster_rosa_hcp
        """,
    ),
    (
        _EVERYTHING,
        """
        azurerm_resource_group google_project google_folder aws_organizations_account azurerm_subscription
        kubernetes_namespace kubernetes_namespace_v1 mongodbatlas_project digitalocean_project confluent_environment
        aiven_project aws_connect_instance
        """,
    ),
    (_METRICS, "aws_prometheus_workspace aws_grafana_workspace azurerm_monitor_workspace influxdb_database"),
    (
        _CATALOGUE,
        """
        aws_glue_catalog_database aws_glue_catalog_table aws_athena_database aws_athena_named_query
        aws_glue_registry aws_glue_schema google_data_catalog_entry_group databricks_catalog databricks_schema
        """,
    ),
    (
        _OBJECT,
        """
        aws_s3_object aws_s3_bucket_object aws_s3_object_copy aws_dynamodb_table_item google_storage_bucket_object
        azurerm_storage_blob azurerm_storage_share_file azurerm_storage_table_entity google_firestore_document
        cloudflare_workers_kv consul_keys consul_key_prefix github_repository_file
        """,
    ),
    (_WORKSPACE, "aws_workspaces_workspace aws_sagemaker_notebook_instance aws_sagemaker_domain coder_workspace"),
    (_APPLICATION, "helm_release"),
)


@cache
def _stateful() -> Mapping[str, Stateful]:
    return {type_: kind for kind, types in _TABLES for type_ in types.split()}


_UTILITIES = ("null_", "random_", "time_", "local_", "archive_", "template_", "terraform_", "external", "cloudinit_")
_STATELESS_PREFIXES = (
    *_UTILITIES,
    *"aws_iam_ aws_vpc aws_route aws_ecs_ aws_appautoscaling_ aws_autoscaling_ aws_api_gateway_".split(),
    *"aws_apigatewayv2_ aws_waf aws_lb aws_alb aws_elb aws_cloudfront_ aws_lambda_ aws_sfn_".split(),
    *"aws_config_ aws_guardduty_".split(),
    *"aws_securityhub_ aws_ses aws_network aws_ec2_ aws_codebuild_ aws_codepipeline aws_codedeploy_".split(),
    *"aws_scheduler_ aws_sns_ aws_cloudwatch_event_ aws_cloudwatch_metric_ aws_service_discovery_".split(),
    *"aws_default_ aws_globalaccelerator_ aws_transfer_ aws_batch_ aws_amplify_ aws_apprunner_ aws_budgets_".split(),
    *"google_compute_ google_cloud_run google_cloudfunctions google_cloud_scheduler_ google_iam_".split(),
    *"google_project_ google_service_account google_monitoring_ google_logging_ google_service_networking_".split(),
    *"azurerm_network_ azurerm_virtual_network azurerm_subnet azurerm_monitor_ azurerm_lb azurerm_role_".split(),
    *"azurerm_private_ azurerm_public_ip azurerm_application_gateway azurerm_frontdoor azurerm_cdn_".split(),
    *"azurerm_app_service azurerm_linux_ azurerm_windows_ azurerm_function_app azurerm_container_app".split(),
    *"kubernetes_ kubectl_ datadog_ pagerduty_ opsgenie_ newrelic_ grafana_ pingdom_ statuscake_ sentry_".split(),
    *"cloudflare_ fastly_ okta_ auth0_ github_ gitlab_ tfe_ newrelic_ vault_ acme_ azuread_ tls_ oci_identity_".split(),
)
"""Prefixes of types that configure, route or run. A type that holds something is found in the tables before."""
_STATELESS_SUFFIXES = tuple(
    f"_{word}"
    for word in """
    policy attachment association rule rules permission role binding member alarm target listener subscription
    configuration template group route record access_block versioning lifecycle alias event_source_mapping grant user
    endpoint gateway ownership_controls notification metric acl website_configuration logging exclusion schedule
    lifecycle_policy selection plan certificate certificate_validation validation domain_name deployment stage settings
    setting option options profile provider connection app_client client identity principal instance_profile eip
    security_group address peering firewall proxy accepter assignment rotation version iam secret_version dashboard
    node_group nodepool node_pool addon fargate_profile cluster_instance iam_binding cluster_parameter_group
    """.split()
)


@cache
def _stateless() -> frozenset[str]:
    return frozenset(
        """
        aws_instance aws_spot_instance_request aws_launch_template aws_launch_configuration aws_eip aws_nat_gateway
        aws_internet_gateway aws_subnet aws_security_group aws_ecs_cluster aws_ecs_service aws_ecs_task_definition
        aws_ecs_capacity_provider aws_acm_certificate aws_key_pair aws_cloudtrail aws_flow_log aws_s3_access_point
        aws_efs_mount_target aws_efs_access_point aws_cognito_user_pool_client aws_cognito_user_pool_domain
        aws_cognito_identity_pool aws_kms_alias aws_ssm_document aws_ssm_association aws_ssm_maintenance_window
        aws_kinesis_firehose_delivery_stream aws_pipes_pipe aws_db_proxy aws_db_event_subscription
        aws_rds_cluster_instance aws_docdb_cluster_instance aws_neptune_cluster_instance aws_appsync_graphql_api
        aws_glue_job aws_glue_crawler aws_glue_trigger aws_glue_connection aws_dms_replication_task
        aws_msk_configuration google_alloydb_instance azurerm_mssql_elasticpool
        aws_s3_bucket_public_access_block aws_backup_plan aws_backup_selection aws_resourcegroups_group aws_eks_addon
        google_container_node_pool google_vpc_access_connector google_app_engine_application google_eventarc_trigger
        google_sql_user google_bigquery_job google_dataflow_job google_cloudbuild_trigger
        azurerm_virtual_machine azurerm_kubernetes_cluster_node_pool azurerm_user_assigned_identity azurerm_service_plan
        azurerm_container_group azurerm_logic_app_workflow azurerm_eventgrid_topic azurerm_management_lock
        azurerm_route_table azurerm_traffic_manager_profile azurerm_bastion_host azurerm_nat_gateway
        digitalocean_droplet digitalocean_loadbalancer hcloud_server linode_instance vultr_instance
        mongodbatlas_database_user postgresql_role postgresql_grant mysql_user mysql_grant http aws_dlm_lifecycle_policy
        aws_ssm_parameter
        """.split()
    )


@cache
def _runs_code() -> frozenset[str]:
    return frozenset(
        """
        aws_ecs_service aws_lambda_function aws_instance aws_autoscaling_group aws_apprunner_service aws_eks_node_group
        aws_elastic_beanstalk_environment aws_batch_job_definition aws_sfn_state_machine aws_eks_cluster aws_glue_job
        aws_lambda_event_source_mapping aws_amplify_app aws_kinesis_firehose_delivery_stream aws_pipes_pipe
        aws_serverlessapplicationrepository_cloudformation_stack aws_emr_cluster aws_spot_fleet_request
        google_cloud_run_service google_cloud_run_v2_service google_cloud_run_v2_job google_cloudfunctions_function
        google_cloudfunctions2_function google_compute_instance google_compute_instance_group_manager
        google_compute_region_instance_group_manager google_app_engine_standard_app_version google_container_cluster
        google_app_engine_flexible_app_version google_container_node_pool google_dataflow_job
        azurerm_linux_web_app azurerm_windows_web_app azurerm_linux_function_app azurerm_windows_function_app
        azurerm_function_app azurerm_app_service azurerm_container_app azurerm_container_group
        azurerm_linux_virtual_machine azurerm_windows_virtual_machine azurerm_virtual_machine
        azurerm_kubernetes_cluster azurerm_linux_virtual_machine_scale_set azurerm_logic_app_standard
        kubernetes_deployment kubernetes_deployment_v1 kubernetes_stateful_set kubernetes_stateful_set_v1
        kubernetes_daemonset kubernetes_daemon_set_v1 kubernetes_cron_job kubernetes_cron_job_v1 kubernetes_job_v1
        helm_release cloudflare_worker_script cloudflare_workers_script digitalocean_app digitalocean_droplet
        heroku_app vercel_project fly_app
        """.split()
    )

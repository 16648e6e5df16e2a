"""Custom resources by what their attributes mean: one table for each kind, path by path.

A path goes through mappings with `/`; `*` goes through a list, each entry by its name. `when` says which change counts:
`less` (a smaller number, size or time), `off` and `on` (a switch), `gone`, `moved` (another value), or `=TEXT` (it
becomes this).
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from tidegate.facts import EffectCode, Severity


class Means(Struct, frozen=True):
    """What it means when the value at a path changes so."""

    path: str
    when: str
    code: EffectCode
    severity: Severity
    words: str
    reversible: bool = True


class Ends(Struct, frozen=True):
    """What it means when an object of a kind is deleted."""

    code: EffectCode
    severity: Severity
    words: str
    reversible: bool = True


_LOST_WRITES = "a write is acknowledged with fewer copies in sync, so losing a broker can lose messages"


_FEWER = "fewer members hold the data, so losing one may lose data or the quorum"


_SMALLER = "a volume cannot shrink, so the change is refused"


_EARLIER = "what is older is deleted for good"


_NO_BACKUP = "no backups are made from then on"


_UPGRADE = "the data is rewritten for the new version, and there is no way back without a restore"


TABLE: Mapping[str, tuple[Means, ...]] = {
    "kafka.strimzi.io/Kafka": (
        Means("spec/kafka/config/min.insync.replicas", "less", "DATA_DURABILITY", "high", _LOST_WRITES),
        Means("spec/kafka/config/default.replication.factor", "less", "DATA_DURABILITY", "high", _LOST_WRITES),
        Means("spec/kafka/config/offsets.topic.replication.factor", "less", "DATA_DURABILITY", "high", _LOST_WRITES),
        Means("spec/kafka/config/transaction.state.log.min.isr", "less", "DATA_DURABILITY", "high", _LOST_WRITES),
        Means(
            "spec/kafka/config/transaction.state.log.replication.factor",
            "less",
            "DATA_DURABILITY",
            "high",
            _LOST_WRITES,
        ),
        Means(
            "spec/kafka/config/unclean.leader.election.enable",
            "on",
            "DATA_DURABILITY",
            "high",
            "a copy that is behind may lead, and what it lacks is lost",
        ),
        Means("spec/kafka/config/log.retention.hours", "less", "DATA_DESTROY_DELAYED", "high", _EARLIER, False),
        Means("spec/kafka/config/log.retention.ms", "less", "DATA_DESTROY_DELAYED", "high", _EARLIER, False),
        Means("spec/kafka/config/log.retention.bytes", "less", "DATA_DESTROY_DELAYED", "high", _EARLIER, False),
        Means(
            "spec/kafka/config/inter.broker.protocol.version",
            "moved",
            "IRREVERSIBLE_UPGRADE",
            "medium",
            "brokers cannot go back to the old version after it",
            False,
        ),
        Means(
            "spec/kafka/replicas",
            "less",
            "DATA_DURABILITY",
            "high",
            "partitions on the brokers that go must be moved first, or are lost",
        ),
        Means("spec/zookeeper/replicas", "less", "DATA_DURABILITY", "high", _FEWER),
        Means(
            "spec/kafka/storage/deleteClaim",
            "on",
            "GUARD_REMOVED",
            "high",
            "deleting the cluster now deletes its volumes",
        ),
        Means(
            "spec/zookeeper/storage/deleteClaim",
            "on",
            "GUARD_REMOVED",
            "high",
            "deleting the cluster now deletes its volumes",
        ),
        Means(
            "spec/kafka/storage/type",
            "=ephemeral",
            "DATA_DESTROY",
            "critical",
            "messages are lost with the pods that hold them",
            False,
        ),
        Means("spec/kafka/storage/size", "less", "IMMUTABLE_REJECT", "medium", _SMALLER),
        Means("spec/kafka/authorization", "gone", "IAM_WIDEN", "high", "every client may read and write every topic"),
        Means(
            "spec/kafka/listeners/*",
            "gone",
            "OUTAGE_PARTIAL",
            "high",
            "clients that use this listener lose the brokers",
        ),
        Means("spec/kafka/listeners/*/tls", "off", "TLS_OFF", "high", "clients of this listener send in clear"),
        Means(
            "spec/kafka/listeners/*/authentication",
            "gone",
            "NET_EXPOSE",
            "high",
            "clients of this listener are no longer asked who they are",
        ),
    ),
    "kafka.strimzi.io/KafkaNodePool": (
        Means(
            "spec/replicas", "less", "DATA_DURABILITY", "high", "partitions on the brokers that go must be moved first"
        ),
        Means("spec/storage/deleteClaim", "on", "GUARD_REMOVED", "high", "deleting the pool now deletes its volumes"),
    ),
    "kafka.strimzi.io/KafkaTopic": (
        Means("spec/partitions", "less", "IMMUTABLE_REJECT", "medium", "partitions cannot be taken away"),
        Means("spec/replicas", "less", "DATA_DURABILITY", "high", _LOST_WRITES),
        Means("spec/config/min.insync.replicas", "less", "DATA_DURABILITY", "high", _LOST_WRITES),
        Means("spec/config/retention.ms", "less", "DATA_DESTROY_DELAYED", "high", _EARLIER, False),
        Means("spec/config/retention.bytes", "less", "DATA_DESTROY_DELAYED", "high", _EARLIER, False),
        Means(
            "spec/config/cleanup.policy",
            "moved",
            "DATA_DESTROY_DELAYED",
            "medium",
            "which messages are kept changes",
            False,
        ),
    ),
    "postgresql.cnpg.io/Cluster": (
        Means("spec/instances", "less", "DATA_DURABILITY", "high", _FEWER),
        Means("spec/backup", "gone", "BACKUP_REDUCED", "high", _NO_BACKUP),
        Means("spec/backup/retentionPolicy", "less", "BACKUP_REDUCED", "high", "older backups are deleted", False),
        Means("spec/storage/size", "less", "IMMUTABLE_REJECT", "medium", _SMALLER),
        Means("spec/minSyncReplicas", "less", "DATA_DURABILITY", "high", "a commit no longer waits for a copy"),
        Means("spec/enableSuperuserAccess", "on", "IAM_WIDEN", "medium", "the superuser can log in over the network"),
    ),
    "postgresql.cnpg.io/ScheduledBackup": (Means("spec/suspend", "on", "BACKUP_REDUCED", "high", _NO_BACKUP),),
    "acid.zalan.do/postgresql": (
        Means("spec/numberOfInstances", "less", "DATA_DURABILITY", "high", _FEWER),
        Means("spec/enableLogicalBackup", "off", "BACKUP_REDUCED", "high", _NO_BACKUP),
        Means("spec/volume/size", "less", "IMMUTABLE_REJECT", "medium", _SMALLER),
        Means("spec/postgresql/version", "moved", "IRREVERSIBLE_UPGRADE", "high", _UPGRADE, False),
    ),
    "postgres-operator.crunchydata.com/PostgresCluster": (
        Means("spec/instances/*/replicas", "less", "DATA_DURABILITY", "high", _FEWER),
        Means("spec/backups", "gone", "BACKUP_REDUCED", "high", _NO_BACKUP),
        Means(
            "spec/backups/pgbackrest/repos/*",
            "gone",
            "BACKUP_REDUCED",
            "high",
            "the backups in this repository are given up",
        ),
        Means("spec/backups/pgbackrest/repos/*/schedules", "gone", "BACKUP_REDUCED", "high", _NO_BACKUP),
        Means("spec/postgresVersion", "moved", "IRREVERSIBLE_UPGRADE", "high", _UPGRADE, False),
        Means("spec/shutdown", "on", "OUTAGE_FULL", "critical", "the database is stopped"),
    ),
    "elasticsearch.k8s.elastic.co/Elasticsearch": (
        Means("spec/nodeSets/*/count", "less", "DATA_DURABILITY", "high", _FEWER),
        Means("spec/nodeSets/*", "gone", "DATA_DESTROY", "high", "its shards must move to other nodes first", False),
        Means(
            "spec/volumeClaimDeletePolicy",
            "=DeleteOnScaledownAndClusterDeletion",
            "GUARD_REMOVED",
            "high",
            "volumes go with the cluster",
        ),
        Means("spec/http/tls/selfSignedCertificate/disabled", "on", "TLS_OFF", "high", "clients send in clear"),
        Means("spec/version", "moved", "IRREVERSIBLE_UPGRADE", "medium", _UPGRADE, False),
    ),
    "rabbitmq.com/RabbitmqCluster": (Means("spec/replicas", "less", "DATA_DURABILITY", "high", _FEWER),),
    "mongodbcommunity.mongodb.com/MongoDBCommunity": (
        Means("spec/members", "less", "DATA_DURABILITY", "high", _FEWER),
        Means("spec/version", "moved", "IRREVERSIBLE_UPGRADE", "medium", _UPGRADE, False),
    ),
    "monitoring.coreos.com/Prometheus": (
        Means("spec/replicas", "=0", "OBSERV_DOWN", "high", "nothing is measured and no alert fires"),
        Means("spec/retention", "less", "OBSERV_DOWN", "medium", "older measurements are deleted", False),
        Means("spec/alerting", "gone", "OBSERV_DOWN", "high", "no alert reaches anybody"),
    ),
    "monitoring.coreos.com/Alertmanager": (
        Means("spec/replicas", "=0", "OBSERV_DOWN", "high", "no alert reaches anybody"),
    ),
    "monitoring.coreos.com/AlertmanagerConfig": (
        Means("spec/receivers/*", "gone", "OBSERV_DOWN", "medium", "alerts for this receiver reach nobody"),
    ),
    "cert-manager.io/Certificate": (
        Means(
            "spec/secretName",
            "moved",
            "OUTAGE_PARTIAL",
            "medium",
            "whoever reads the old secret keeps a certificate that runs out",
        ),
        Means("spec/issuerRef/name", "moved", "TLS_ON", "low", "the certificate is issued anew by another issuer"),
    ),
    "security.istio.io/PeerAuthentication": (
        Means("spec/mtls/mode", "=PERMISSIVE", "TLS_OFF", "high", "requests in clear are let in again"),
        Means("spec/mtls/mode", "=DISABLE", "TLS_OFF", "high", "requests inside the mesh go in clear"),
        Means("spec/mtls/mode", "=STRICT", "TLS_ON", "medium", "clients outside the mesh are refused"),
    ),
    "networking.istio.io/DestinationRule": (
        Means("spec/trafficPolicy/tls/mode", "=DISABLE", "TLS_OFF", "high", "requests to this host go in clear"),
        Means("spec/subsets/*", "gone", "OUTAGE_PARTIAL", "high", "routes that name this subset get 503"),
    ),
    "external-secrets.io/ExternalSecret": (
        Means(
            "spec/target/deletionPolicy",
            "=Delete",
            "GUARD_REMOVED",
            "medium",
            "the secret goes when its source is empty",
        ),
        Means("spec/secretStoreRef/name", "moved", "SECRET_CHANGE", "medium", "values come from another store"),
    ),
    "velero.io/Schedule": (
        Means("spec/paused", "on", "BACKUP_REDUCED", "high", _NO_BACKUP),
        Means("spec/template/ttl", "less", "BACKUP_REDUCED", "medium", "backups are deleted earlier", False),
        Means("spec/template/snapshotVolumes", "off", "BACKUP_REDUCED", "high", "volumes are no longer in the backups"),
    ),
    "karpenter.sh/NodePool": (
        Means(
            "spec/limits/cpu", "less", "CAPACITY_DOWN", "medium", "fewer nodes can be made; pods beyond it stay pending"
        ),
        Means(
            "spec/limits/memory",
            "less",
            "CAPACITY_DOWN",
            "medium",
            "fewer nodes can be made; pods beyond it stay pending",
        ),
    ),
    "operators.coreos.com/Subscription": (
        Means(
            "spec/channel",
            "moved",
            "IRREVERSIBLE_UPGRADE",
            "low",
            "the operator is upgraded on its own, which is not undone by going back",
            False,
        ),
        Means("spec/source", "moved", "SUPPLY_CHAIN", "medium", "the operator comes from another catalogue"),
    ),
}


_NODES = Means("spec/replicas", "less", "CAPACITY_DOWN", "medium", "nodes are drained and taken away")


MACHINES = dict.fromkeys(
    ("machine.openshift.io/MachineSet", "cluster.x-k8s.io/MachineDeployment", "cluster.x-k8s.io/MachinePool"), (_NODES,)
)


_CLOUD: tuple[Means, ...] = (
    Means(
        "spec/deletionPolicy", "=Delete", "GUARD_REMOVED", "high", "deleting the object now deletes what is behind it"
    ),
    Means("spec/forProvider/deletionProtection", "off", "GUARD_REMOVED", "high", "it can be deleted by a slip"),
    Means(
        "spec/forProvider/backupRetentionPeriod", "less", "BACKUP_REDUCED", "high", "older backups are deleted", False
    ),
    Means(
        "spec/forProvider/skipFinalSnapshot", "on", "GUARD_REMOVED", "high", "no snapshot is left when it is deleted"
    ),
    Means(
        "spec/forProvider/skipFinalSnapshotBeforeDeletion",
        "on",
        "GUARD_REMOVED",
        "high",
        "no snapshot is left when it is deleted",
    ),
    Means("spec/forProvider/publiclyAccessible", "on", "NET_EXPOSE", "high", "it has an address on the internet"),
    Means(
        "spec/forProvider/storageEncrypted", "off", "DATA_DESTROY", "critical", "it is replaced by an empty one", False
    ),
    Means("spec/forProvider/multiAZ", "off", "DATA_DURABILITY", "high", "there is no copy in a second zone"),
    Means(
        "spec/forProvider/region",
        "moved",
        "DATA_DESTROY",
        "critical",
        "it is made again, empty, in another region",
        False,
    ),
)


ENDS: Mapping[str, Ends] = {
    "monitoring.coreos.com/Prometheus": Ends("OBSERV_DOWN", "high", "nothing is measured and no alert fires"),
    "monitoring.coreos.com/Alertmanager": Ends("OBSERV_DOWN", "high", "no alert reaches anybody"),
    "monitoring.coreos.com/PrometheusRule": Ends("OBSERV_DOWN", "medium", "its alerts do not fire any more"),
    "monitoring.coreos.com/ServiceMonitor": Ends(
        "OBSERV_DOWN", "medium", "nothing measures what it watched, and alerts on it go silent"
    ),
    "monitoring.coreos.com/PodMonitor": Ends(
        "OBSERV_DOWN", "medium", "nothing measures what it watched, and alerts on it go silent"
    ),
    "monitoring.coreos.com/AlertmanagerConfig": Ends("OBSERV_DOWN", "medium", "alerts are no longer routed by it"),
    "monitoring.coreos.com/Probe": Ends("OBSERV_DOWN", "medium", "nothing asks from outside any more"),
    "cert-manager.io/Certificate": Ends(
        "OUTAGE_PARTIAL", "medium", "its certificate is not renewed, and clients refuse it when it runs out"
    ),
    "cert-manager.io/Issuer": Ends("OUTAGE_PARTIAL", "medium", "certificates that name it are not renewed"),
    "cert-manager.io/ClusterIssuer": Ends(
        "OUTAGE_PARTIAL", "high", "certificates that name it are not renewed, in every namespace"
    ),
    "security.istio.io/AuthorizationPolicy": Ends("NET_EXPOSE", "high", "what it refused is let in"),
    "security.istio.io/RequestAuthentication": Ends("NET_EXPOSE", "high", "tokens are no longer checked"),
    "security.istio.io/PeerAuthentication": Ends(
        "TLS_OFF", "high", "requests in clear are let in again, unless another policy refuses them"
    ),
    "networking.istio.io/DestinationRule": Ends("OUTAGE_PARTIAL", "medium", "routes that name its subsets get 503"),
    "external-secrets.io/SecretStore": Ends(
        "OUTAGE_PARTIAL", "medium", "secrets from it are no longer brought up to date"
    ),
    "external-secrets.io/ClusterSecretStore": Ends(
        "OUTAGE_PARTIAL", "high", "secrets from it are no longer brought up to date"
    ),
    "postgresql.cnpg.io/ScheduledBackup": Ends("BACKUP_REDUCED", "high", _NO_BACKUP),
    "velero.io/Schedule": Ends("BACKUP_REDUCED", "high", _NO_BACKUP),
    "velero.io/BackupStorageLocation": Ends("BACKUP_REDUCED", "high", "backups there can neither be made nor restored"),
    "karpenter.sh/NodePool": Ends("OUTAGE_PARTIAL", "high", "its nodes are drained and taken away"),
    **dict.fromkeys(MACHINES, Ends("OUTAGE_PARTIAL", "high", "its nodes are drained and taken away")),
    **dict.fromkeys(
        ("integreatly.org/GrafanaDashboard", "grafana.integreatly.org/GrafanaDashboard"),
        Ends("OBSERV_DOWN", "low", "what it showed is not seen any more"),
    ),
    "cluster.x-k8s.io/Cluster": Ends(
        "DATA_DESTROY", "critical", "the whole cluster with all that is in it is taken down", False
    ),
}


def means_of(type_: str) -> tuple[Means, ...]:
    """What attributes of this kind mean, nothing for a kind that no table knows."""
    found = TABLE.get(type_) or MACHINES.get(type_)
    if found is not None:
        return found
    group = type_.rpartition("/")[0]
    return _CLOUD if group.endswith((".crossplane.io", ".upbound.io", ".services.k8s.aws")) else ()

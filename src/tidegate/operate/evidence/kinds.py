"""The kinds of cause that are no change, as data: what errors say of each, and what its own series are called.

A kind's phrases are the messages of common systems (Kubernetes, PostgreSQL, Go, Java, Node, cloud SDKs) that an
operator would search for. `subjects` are those of a diff that would make the same signs.
"""

from __future__ import annotations

from msgspec import Struct


class Kind(Struct, frozen=True, kw_only=True):
    """A kind of cause. `phrases` and `series` are regular expressions, matched whatever the case.

    `said`: the log-odds of a message that most errors agree on. It is high where the message states the cause, as an
    expired certificate does, and lower where it may be a consequence, as a full queue is.
    """

    name: str
    said: float = 0.0
    phrases: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    subjects: frozenset[str] = frozenset()


_PROVIDERS = (
    r"s3|dynamodb|sqs|sns|rds|kms|sts|kinesis|gcs|bigquery|pubsub|cosmos|blob storage|cloudfront|fastly|cloudflare|"
    r"stripe|adyen|paypal|braintree|twilio|sendgrid|mailgun|auth0|okta|launchdarkly|algolia|openai|anthropic|github|slack|plaid"
)
_TROUBLE = r"5\d\d|unavailable|time(?:d )?out|outage|internal error|refused|degraded|error|slow|throttl|fail"

KINDS: tuple[Kind, ...] = (
    Kind(
        name="load",
        said=3.0,
        phrases=(
            r"overload",
            r"shedding load",
            r"(?:traffic|request|load)[\w ]{0,20}(?:spike|surge|burst)",
            r"\bsurge\b",
            r"saturated",
            r"too busy",
            r"queue (?:is )?full",
            r"request volume",
            r"autoscal|scaling up|max(?:imum)? replicas",
            r"pods? pending",
            r"backpressure",
            r"\bbots?\b|crawler|ddos|credential stuffing",
        ),
    ),
    Kind(
        name="certificate",
        said=4.5,
        phrases=(
            r"x509",
            r"cert(?:ificate)?s?[_ ](?:has[_ ]|is[_ ]|was[_ ]|have[_ ])?(?:expired|not yet valid|revoked)",
            r"unknown authority",
            r"(?:tls|ssl):? ?handshake",
            r"certificate verify failed|certificate_verify_failed",
            r"pkix path|certpathvalidator|sslhandshakeexception",
            r"certificate[\w ,.'\"-]{0,40}expire",
        ),
        series=("cert", "tls", "ssl"),
        subjects=frozenset({"~tls"}),
    ),
    Kind(
        name="dns",
        said=3.5,
        phrases=(
            r"no such host",
            r"nxdomain|servfail",
            r"name or service not known|name resolution",
            r"getaddrinfo|enotfound|eai_again|unknownhost",
            r"could not resolve|failed to resolve|cannot resolve",
            r"dns",
            r"resolv\.conf",
            r"lookup [\w.-]+(?: on [\w.:]+)?:",
        ),
        series=("dns", "resolv"),
        subjects=frozenset({"~dns"}),
    ),
    Kind(
        name="dependency",
        said=3.5,
        phrases=(
            r"\b5\d\d\b[^.]{0,40}(?:from|by) [\w-]+\.(?:[\w-]+\.)*(?:com|net|io|org|dev|cloud)\b",
            r"[\w-]+\.(?:[\w-]+\.)*(?:amazonaws\.com|googleapis\.com|azure\.com|windows\.net|cloudflare\.com)",
            r"(?:provider|third[- ]party|vendor|partner|region(?:al)?)[\w ]{0,30}(?:outage|incident|unavailable|down)",
            rf"\b(?:{_PROVIDERS})\b.{{0,60}}(?:{_TROUBLE})",
            rf"(?:{_TROUBLE}).{{0,40}}\b(?:{_PROVIDERS})\b",
            r"serviceunavailable",
            r"slow ?down: please reduce",
        ),
        series=(_PROVIDERS, "aws", "gcp", "azure", "provider", "external", "partner", "third_party", "cdn", "bucket"),
    ),
    Kind(
        name="secret",
        said=4.0,
        phrases=(
            r"(?:token|credential|secret|api[ _-]?key|password|access key)s?\b.{0,40}(?:expired|revoked|rotated)",
            r"(?:expired|revoked|invalid)[ _-]?(?:token|credential|secret|api[ _-]?key|access[ _-]?key|client)",
            r"(?:token|credential|secret|api[ _-]?key|password|access key)s?\b.{0,40}(?:is|are|not) ?(?:in)?valid",
            r"expiredtoken|invalidclienttokenid|signaturedoesnotmatch|unrecognizedclient",
            r"password authentication failed|access denied for user|invalid_grant|invalid_client",
        ),
        subjects=frozenset({"~auth", "~config"}),
    ),
    Kind(
        name="quota",
        said=3.5,
        phrases=(
            r"quota",
            r"rate ?limit",
            r"too ?many ?requests|\b429\b",
            r"limit ?exceeded",
            r"resource_?exhausted",
            r"throughputexceeded|throttlingexception",
            r"account limit|insufficient ?(?:instance ?)?capacity|no available (?:ip|address)",
        ),
        series=("quota", "throttl", "rate_?limit"),
        subjects=frozenset({"~capacity", "~batch", "~retry"}),
    ),
    Kind(
        name="neighbour",
        said=3.0,
        phrases=(
            r"co-?tenant|noisy|neighbou?r",
            r"node[\w -]{0,30}(?:pressure|contended|saturat)|(?:cpu|memory|disk|pid)pressure",
            r"cpu[- ]?(?:starv|steal|contend|throttl)|steal time|cfs quota|throttling container",
            r"starved",
            r"load from (?:pod|job|workload|container|tenant)",
            r"evict(?:ed|ing|ion)",
        ),
        subjects=frozenset({"~resource"}),
    ),
    Kind(
        name="platform",
        said=3.5,
        phrases=(
            r"node[\w .-]{0,30}(?:not ?ready|unreachable|lost|terminat|drain|preempt)|nodenotready",
            r"spot (?:instance|interruption)|preempted",
            r"availability zone|zone outage",
            r"hardware|i/o error|disk failure|read-only file ?system|kernel panic|host maintenance",
            r"network partition|packet loss|link down|no route to host|network is unreachable",
            r"split.?brain|failover|leader election|recovery mode|administrator command|read-only transaction",
            r"instance[\w -]{0,20}(?:terminated|retired|reboot)|volume[\w -]{0,20}(?:detach|degraded)",
        ),
        series=("node", "host", "zone", "network", "kube", "disk"),
        subjects=frozenset({"~disk", "~logging"}),
    ),
    Kind(
        name="data",
        said=3.0,
        phrases=(
            r"poison",
            r"malformed|corrupt",
            r"redeliver|commit blocked|dead.?letter",
            r"out of range",
            r"invalid (?:record|message|payload|row|byte|utf|document|character)",
            r"unprocessable|bad record|unexpected (?:value|field|character|token)",
            r"(?:cannot|failed to|could not|error) (?:parse|deserializ|decod|unmarshal)",
            r"unknown magic byte|truncated (?:file|record)|serializationexception",
        ),
        subjects=frozenset({"~encoding", "~schema"}),
    ),
    Kind(
        name="work",
        said=2.0,
        phrases=(
            r"(?:cron|nightly|scheduled|export|backup|backfill|vacuum|reindex)[\w -]{0,20}(?:job|running|begin)",
            r"(?:job|backup|backfill|vacuum|reindex)[\w -]{0,20}started",
            r"long.running transaction",
        ),
    ),
    Kind(name="unexplained"),
)

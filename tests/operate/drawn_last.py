"""A second set drawn after the evidence was chosen: harder, with decoys on the very endpoint or seconds before."""

from __future__ import annotations

from tests.operate.incidents import TIDY_CLIENT, TIDY_HANDLER, Incident, change, incident, lines, move

RENAME = "-\tc := r.Context()\n-\treturn fetch(c, q)\n+\tctx := r.Context()\n+\treturn fetch(ctx, q)\n"


def draw() -> list[Incident]:
    """Eight that a change caused and six that none did."""
    return [*_changes(), *_causes()]


def _changes() -> list[Incident]:
    return [
        incident(
            "switched-on",
            "culprit",
            ("ranking", "http_p99_ms", "ranking p99 above 400ms", 60),
            [move("ranking", "http_p99_ms", 70, 1900, 55), move("ranking", "cpu_utilization", 0.3, 0.95, 55)],
            [
                *lines("ranking", "INFO", "ranked {n} items", 0, every=3),
                *lines("ranking", "WARN", "personalised model took 1740ms", 55),
            ],
            [
                change(
                    "culprit",
                    54,
                    "ranking",
                    "ranking/src/options.ts",
                    "chore: options for the winter",
                    "-  personalisedModel: false,\n+  personalisedModel: true,\n",
                ),
                change("decoy", 54.8, "ranking", "ranking/src/rank.ts", "refactor: ranking helper", TIDY_HANDLER),
            ],
        ),
        incident(
            "rows-left-open",
            "culprit",
            ("ledger", "db_pool_in_use", "ledger has no connections left", 92),
            [
                move("ledger", "db_pool_in_use", 4, 50, 62, ramp=28),
                move("ledger", "http_5xx_ratio", 0.001, 0.5, 90),
            ],
            [
                *lines("ledger", "INFO", "balance of {n}", 0, every=3),
                *lines("ledger", "ERROR", "pq: timeout acquiring connection", 90),
            ],
            [
                change(
                    "culprit",
                    60,
                    "ledger",
                    "ledger/balance.go",
                    "refactor: simpler balance",
                    " \trows, err := l.db.QueryContext(ctx, balanceSQL, account)\n \tif err != nil {\n"
                    " \t\treturn nil, err\n \t}\n"
                    "-\tdefer rows.Close()\n-\tfor rows.Next() {\n+\tif rows.Next() {\n \t\treturn scan(rows)\n \t}\n",
                ),
                change("decoy", 88, "ledger", "ledger/pool.go", "chore: rename in pool", RENAME),
                change(
                    "bump",
                    70,
                    "ledger",
                    "go.mod",
                    "deps",
                    "-\tgithub.com/lib/pq v1.10.8\n+\tgithub.com/lib/pq v1.10.9\n",
                ),
            ],
        ),
        incident(
            "pattern-explodes",
            "culprit",
            ("signup", "cpu_utilization", "signup burns CPU", 47),
            [move("signup", "cpu_utilization", 0.2, 1.0, 42), move("signup", "http_p99_ms", 30, 8000, 42)],
            [
                *lines("signup", "INFO", "signup {n}", 0, every=3),
                *lines("signup", "WARN", "event loop blocked for 7900ms in validateEmail", 42),
            ],
            [
                change(
                    "culprit",
                    41,
                    "signup",
                    "signup/validate.js",
                    "fix: accept longer domains in validateEmail",
                    "-const EMAIL = /^[^@\\s]+@[^@\\s]+$/;\n"
                    "+const EMAIL = /^([a-zA-Z0-9_.-]+)+@(([a-zA-Z0-9-]+)+\\.)+[a-z]+$/;\n",
                ),
                change("decoy", 41.8, "signup", "signup/handler.js", "refactor: handler", TIDY_HANDLER),
            ],
        ),
        incident(
            "patience-lost",
            "culprit",
            ("offers", "rpc_client_error_rate", "offers loses its answers", 66),
            [
                move("offers", "rpc_client_error_rate", 0.001, 0.7, 61),
                move("prices", "rpc_server_cancelled_rate", 0.001, 0.7, 61),
                move("prices", "http_p99_ms", 350, 350, 61),
            ],
            [
                *lines("offers", "INFO", "offer {n} made", 0, every=3),
                *lines("offers", "ERROR", "ReadTimeout: prices did not answer within 0.2s", 61),
                *lines("prices", "WARN", "request cancelled by client", 61),
            ],
            [
                change(
                    "culprit",
                    58,
                    "offers",
                    "offers/prices_client.py",
                    "refactor: one session for prices",
                    "-        return self.session.get(url, timeout=10)\n"
                    "+        return self.session.get(url, timeout=0.2)\n",
                ),
                change("decoy", 60.9, "prices", "prices/handler.py", "refactor: handler", TIDY_HANDLER),
                change("decoy2", 60, "offers", "offers/handler.py", "refactor: client", TIDY_CLIENT),
            ],
            calls=(("web", "offers"), ("offers", "prices")),
        ),
        incident(
            "contract-broken",
            "culprit",
            ("invoices", "decode_errors", "invoices cannot read customers", 53),
            [move("invoices", "decode_errors", 0.0, 400.0, 48)],
            [
                *lines("invoices", "INFO", "invoice {n} sent", 0, every=3, until=47),
                *lines("invoices", "ERROR", "proto: cannot parse invalid wire-format data: field vat_number", 48),
            ],
            [
                change(
                    "culprit",
                    47.5,
                    "customers",
                    "proto/customer.proto",
                    "chore: tidy numbering",
                    "-  string vat_number = 4;\n+  bytes vat_number = 7;\n",
                ),
                change("decoy", 47, "invoices", "invoices/render.go", "refactor: rendering", TIDY_CLIENT),
            ],
            calls=(("invoices", "customers"),),
        ),
        incident(
            "map-never-made",
            "culprit",
            ("counter", "panic_count", "counter panics", 37),
            [move("counter", "panic_count", 0.0, 25.0, 32)],
            [
                *lines("counter", "INFO", "counted {n}", 0, every=3),
                *lines(
                    "counter", "ERROR", "panic: assignment to entry in nil map goroutine 41 counter.(*Tally).add", 32
                ),
            ],
            [
                change(
                    "culprit",
                    31,
                    "counter",
                    "counter/tally.go",
                    "refactor: zero value is useful",
                    "-func newTally() *Tally {\n-\treturn &Tally{seen: make(map[string]int)}\n-}\n"
                    "+func newTally() *Tally {\n"
                    "+\treturn &Tally{}\n+}\n",
                ),
                change("decoy", 31.6, "counter", "counter/handler.go", "refactor: handler", TIDY_HANDLER),
            ],
        ),
        incident(
            "schedule-too-eager",
            "culprit",
            ("warehouse", "db_cpu_pct", "warehouse database is at 100 %", 95),
            [
                move("warehouse", "db_cpu_pct", 25, 99, 85),
                move("warehouse", "http_p99_ms", 60, 1500, 87),
                move("warehouse", "requests_per_sec", 50, 50, 85),
            ],
            [
                *lines("warehouse", "INFO", "bin {n} read", 0, every=3),
                *lines("warehouse", "INFO", "stock reconciliation started", 85, every=1),
                *lines("warehouse", "WARN", "statement waited 1300ms", 86),
            ],
            [
                change(
                    "culprit",
                    84,
                    "warehouse",
                    "charts/warehouse/values.yaml",
                    "chore: reconcile stock more often",
                    '-  schedule: "0 3 * * *"\n+  schedule: "* * * * *"\n',
                ),
                change("decoy", 84.5, "warehouse", "warehouse/handler.go", "refactor: handler", TIDY_HANDLER),
            ],
        ),
        incident(
            "rounding",
            "culprit",
            ("payouts", "ledger_mismatch_total", "payouts and ledger differ", 77),
            [move("payouts", "ledger_mismatch_total", 0.0, 55.0, 71)],
            [
                *lines("payouts", "INFO", "payout {n} sent", 0, every=3),
                *lines("payouts", "ERROR", "amount mismatch: payout differs from ledger by 1 cent", 71),
            ],
            [
                change(
                    "culprit",
                    69,
                    "payouts",
                    "payouts/amount.rb",
                    "refactor: amounts in one place",
                    "-    (cents * share).round\n+    (cents * share).floor\n",
                ),
                change("decoy", 70.6, "payouts", "payouts/handler.rb", "refactor: handler", TIDY_HANDLER),
            ],
        ),
    ]


def _causes() -> list[Incident]:
    return [
        incident(
            "edge-network-down",
            "dependency",
            ("site", "http_5xx_ratio", "site answers 503", 59),
            [move("site", "http_5xx_ratio", 0.001, 0.5, 54), move("cdn", "cdn_5xx_ratio", 0.0, 0.5, 54)],
            [
                *lines("site", "INFO", "page {n}", 0, every=3),
                *lines("site", "ERROR", "503 first byte timeout from fastly edge", 54),
            ],
            [
                change("decoy", 52, "site", "site/render.go", "refactor: render", TIDY_CLIENT),
                change("rename", 53, "site", "site/fetch.go", "refactor: context name", RENAME),
            ],
        ),
        incident(
            "broker-disk-full",
            "platform",
            ("events", "publish_error_ratio", "events cannot publish", 68),
            [
                move("kafka-2", "disk_used_pct", 71, 100, 40, ramp=22),
                move("events", "publish_error_ratio", 0.001, 0.6, 63),
            ],
            [
                *lines("events", "INFO", "published {n}", 0, every=3),
                *lines("kafka-2", "ERROR", "I/O error while writing log segment: No space left on device", 62.5),
                *lines("events", "ERROR", "NotLeaderForPartition: broker kafka-2 offline", 63),
            ],
            [change("decoy", 61, "events", "events/publish.go", "refactor: publisher", TIDY_CLIENT)],
            calls=(("web", "events"),),
        ),
        incident(
            "spot-instance-taken",
            "platform",
            ("render", "http_5xx_ratio", "render lost pods", 49),
            [move("render", "http_5xx_ratio", 0.001, 0.4, 45), move("render", "ready_pods", 8, 3, 44)],
            [
                *lines("render", "INFO", "rendered {n}", 0, every=3),
                *lines(
                    "node-termination-handler",
                    "WARN",
                    "spot interruption notice for i-0a1b2c, draining node",
                    44,
                    every=4,
                ),
                *lines("web", "ERROR", "render: connection refused", 45),
            ],
            [change("decoy", 43, "render", "render/handler.go", "refactor: handler", TIDY_HANDLER)],
            calls=(("web", "render"),),
        ),
        incident(
            "store-slow",
            "dependency",
            ("thumbs", "http_p99_ms", "thumbs is slow", 83),
            [
                move("thumbs", "s3_get_latency_p99_ms", 40, 6000, 78),
                move("thumbs", "http_p99_ms", 90, 6100, 78),
            ],
            [
                *lines("thumbs", "INFO", "thumb {n}", 0, every=3),
                *lines(
                    "thumbs",
                    "WARN",
                    "GetObject took 5900ms (bucket thumbs-prod, region eu-central-1): RequestTimeout",
                    78,
                ),
            ],
            [
                change("decoy", 75, "thumbs", "thumbs/get.go", "refactor: object reader", TIDY_CLIENT),
                change(
                    "bump",
                    60,
                    "thumbs",
                    "go.mod",
                    "deps",
                    "-\tgithub.com/aws/sdk v1.3.8\n+\tgithub.com/aws/sdk v1.3.9\n",
                ),
            ],
        ),
        incident(
            "partner-limits-us",
            "quota|dependency",
            ("sync", "sync_failures", "sync fails", 62),
            [move("sync", "sync_failures", 0.0, 44.0, 57)],
            [
                *lines("sync", "INFO", "contact {n} synced", 0, every=3, until=56),
                *lines("sync", "ERROR", "crm api answered 429 Too Many Requests, retry after 3600s", 57),
            ],
            [change("decoy", 55, "sync", "sync/crm_client.py", "refactor: crm client", TIDY_CLIENT)],
            flags={"sync_two_way": 54.0},
        ),
        incident(
            "intermediate-expired",
            "certificate",
            ("webhooks", "delivery_error_ratio", "webhooks are not delivered", 40),
            [move("webhooks", "delivery_error_ratio", 0.01, 0.7, 36)],
            [
                *lines("webhooks", "INFO", "delivered {n}", 0, every=3),
                *lines(
                    "webhooks",
                    "ERROR",
                    "javax.net.ssl.SSLHandshakeException: PKIX path validation failed: validity check failed",
                    36,
                ),
            ],
            [
                change(
                    "decoy", 34, "webhooks", "webhooks/src/main/java/Deliver.java", "refactor: delivery", TIDY_CLIENT
                ),
                change("late", 38, "webhooks", "webhooks/src/main/java/Queue.java", "refactor: queue", TIDY_HANDLER),
            ],
        ),
    ]

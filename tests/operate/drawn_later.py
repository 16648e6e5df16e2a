"""Incidents drawn after the evidence was chosen: what they were answered at first sight is the figure to believe."""

from __future__ import annotations

from tests.operate.incidents import TIDY_CLIENT, TIDY_HANDLER, Incident, change, incident, lines, move


def draw() -> list[Incident]:
    """Six that a change caused and six that none did."""
    return [*_changes(), *_causes()]


def _changes() -> list[Incident]:
    return [
        incident(
            "prefetch-too-large",
            "culprit",
            ("invoicer", "queue_oldest_message_age_seconds", "invoices are late", 92),
            [
                move("invoicer", "queue_oldest_message_age_seconds", 4, 1500, 80, ramp=15),
                move("invoicer", "jvm_gc_pause_p99_ms", 30, 2400, 79),
                move("invoicer", "messages_per_min", 600, 90, 81),
            ],
            [
                *lines("invoicer", "INFO", "invoice {n} rendered", 0, every=3),
                *lines(
                    "invoicer", "WARN", "GC overhead high: heap 97% used, {n} unacknowledged deliveries", 80.5, every=1
                ),
                *lines("invoicer", "ERROR", "java.lang.OutOfMemoryError: Java heap space", 88, every=4),
            ],
            [
                change(
                    "culprit",
                    78,
                    "invoicer",
                    "invoicer/src/main/resources/application.properties",
                    "perf: fetch more at once",
                    "-spring.rabbitmq.listener.simple.prefetch=20\n+spring.rabbitmq.listener.simple.prefetch=20000\n",
                ),
                change(
                    "decoy",
                    80,
                    "invoicer",
                    "invoicer/src/main/java/Renderer.java",
                    "refactor: extract heading of the invoice",
                    "-        out.append(invoice.number()).append(' ').append(invoice.date());\n"
                    "+        appendHeading(out, invoice);\n+    }\n+\n"
                    "+    private void appendHeading(StringBuilder out, Invoice invoice) {\n"
                    "+        out.append(invoice.number()).append(' ').append(invoice.date());\n",
                ),
            ],
            flags={"invoicer_pdf_v2": 70.0},
        ),
        incident(
            "index-dropped",
            "culprit",
            ("orders", "db_cpu_pct", "orders database busy", 75),
            [
                move("orders", "db_cpu_pct", 20, 96, 64, ramp=3),
                move("orders", "db_rows_read_per_sec", 900, 800000, 63),
                move("orders", "http_p99_ms", 50, 2800, 65),
                move("web", "http_p99_ms", 90, 2900, 65),
            ],
            [
                *lines("orders", "INFO", "listed orders of customer {n}", 0, every=3),
                *lines(
                    "orders",
                    "WARN",
                    "slow statement 2713ms: SELECT * FROM orders WHERE customer_id = ? ORDER BY placed_at",
                    64,
                ),
            ],
            [
                change(
                    "culprit",
                    62.5,
                    "orders",
                    "orders/migrations/0042_tidy.sql",
                    "chore: remove what is not used",
                    "+DROP INDEX orders_customer_placed;\n+DROP TABLE orders_import_2019;\n",
                ),
                change("decoy", 63.5, "orders", "orders/handler.go", "refactor: list handler", TIDY_HANDLER),
            ],
            calls=(("web", "orders"),),
        ),
        incident(
            "page-size-default",
            "culprit",
            ("catalog-api", "http_response_size_p95_bytes", "catalog answers are huge", 70),
            [
                move("catalog-api", "http_response_size_p95_bytes", 2e4, 9e6, 66),
                move("catalog-api", "http_p99_ms", 80, 3100, 66),
                move("mobile-bff", "http_5xx_ratio", 0.001, 0.2, 67),
            ],
            [
                *lines("catalog-api", "INFO", "listed products page_size=50 in {n}us", 0, every=3, until=65),
                *lines("catalog-api", "WARN", "listed products page_size=100000 slowly", 66),
                *lines("mobile-bff", "ERROR", "deadline exceeded calling catalog-api ListProducts", 67),
            ],
            [
                change(
                    "culprit",
                    64,
                    "catalog-api",
                    "catalog/list.py",
                    "feat: let callers omit the page size",
                    "-def list_products(page: int, size: int = 50):\n"
                    "+def list_products(page: int, size: int = 100000):\n",
                ),
                change("decoy", 65.5, "mobile-bff", "bff/catalog_client.ts", "refactor: client", TIDY_CLIENT),
                change(
                    "decoy2",
                    65,
                    "catalog-api",
                    "catalog/serialize.py",
                    "chore: log sizes",
                    '+    logger.info("size", n=len(body))\n',
                ),
            ],
            calls=(("mobile-bff", "catalog-api"),),
        ),
        incident(
            "permission-narrowed",
            "culprit",
            ("exporter", "export_failures", "exports fail", 88),
            [move("exporter", "export_failures", 0.0, 30.0, 83)],
            [
                *lines("exporter", "INFO", "exported chunk {n}", 0, every=3, until=82),
                *lines(
                    "exporter", "ERROR", "AccessDenied: not authorized to perform s3:PutObject on exports bucket", 83
                ),
            ],
            [
                change(
                    "culprit",
                    81,
                    "exporter",
                    "infra/exporter/iam.tf",
                    "security: least privilege",
                    '   actions = [\n     "s3:GetObject",\n-    "s3:PutObject",\n   ]\n',
                ),
                change("decoy", 82, "exporter", "exporter/upload.go", "refactor: s3 client", TIDY_CLIENT),
            ],
        ),
        incident(
            "comparison-turned",
            "culprit",
            ("loyalty", "http_5xx_ratio", "loyalty rejects everybody", 58),
            [move("loyalty", "rejected_ratio", 0.01, 0.96, 52), move("loyalty", "http_5xx_ratio", 0.001, 0.3, 53)],
            [
                *lines("loyalty", "INFO", "points {n} booked", 0, every=3, until=51),
                *lines("loyalty", "ERROR", "member tier too low for reward", 52),
            ],
            [
                change(
                    "culprit",
                    50,
                    "loyalty",
                    "loyalty/rewards.kt",
                    "refactor: reward rules in one place",
                    "-    if (member.tier < reward.tier) throw TierTooLow()\n"
                    "+    if (member.tier <= reward.tier) throw TierTooLow()\n",
                ),
                change("decoy", 51.5, "loyalty", "loyalty/handler.kt", "refactor: handler", TIDY_HANDLER),
            ],
        ),
        incident(
            "client-per-request",
            "culprit",
            ("gateway", "open_file_descriptors", "gateway runs out of descriptors", 99),
            [
                move("gateway", "open_file_descriptors", 200, 64000, 40, ramp=55),
                move("gateway", "http_5xx_ratio", 0.001, 0.7, 96),
            ],
            [
                *lines("gateway", "INFO", "forwarded {n}", 0, every=3),
                *lines("gateway", "ERROR", "accept: too many open files", 96),
            ],
            [
                change(
                    "culprit",
                    39,
                    "gateway",
                    "gateway/forward.go",
                    "fix: no shared state between requests",
                    "-\tres, err := f.client.Do(req)\n+\tclient := &http.Client{Transport: &http.Transport{}}\n"
                    "+\tres, err := client.Do(req)\n \tif err != nil {\n \t\treturn err\n \t}\n"
                    "-\tdefer res.Body.Close()\n",
                ),
                change("decoy", 94, "gateway", "gateway/handler.go", "refactor: handler", TIDY_HANDLER),
            ],
        ),
    ]


def _causes() -> list[Incident]:
    return [
        incident(
            "mail-provider-refuses",
            "dependency|quota",
            ("mailer", "send_error_ratio", "mails bounce", 80),
            [move("mailer", "send_error_ratio", 0.002, 0.9, 75)],
            [
                *lines("mailer", "INFO", "mail {n} sent", 0, every=3, until=74),
                *lines("mailer", "ERROR", "sendgrid responded 503 upstream connect error", 75),
            ],
            [
                change("decoy", 72, "mailer", "mailer/send.go", "refactor: sendgrid client", TIDY_CLIENT),
                change("handler", 60, "mailer", "mailer/handler.go", "refactor: handler", TIDY_HANDLER),
            ],
        ),
        incident(
            "signing-key-revoked",
            "secret",
            ("sso", "login_error_ratio", "nobody can log in", 64),
            [move("sso", "login_error_ratio", 0.01, 0.98, 60)],
            [
                *lines("sso", "INFO", "login {n}", 0, every=3, until=59),
                *lines("sso", "ERROR", "token exchange failed: invalid_client: client secret has expired", 60),
            ],
            [
                change("decoy", 57, "sso", "sso/exchange.go", "refactor: token exchange", TIDY_CLIENT),
                change("log", 59, "sso", "sso/log.go", "chore: log", '-\tlog.Print("t")\n+\tlog.Print("token", id)\n'),
            ],
            flags={"sso_remember_me": 55.0},
        ),
        incident(
            "disk-of-the-host",
            "platform|neighbour",
            ("timeline", "http_p99_ms", "timeline is slow", 84),
            [
                move("node-a17", "node_disk_io_time_ratio", 0.1, 1.0, 78),
                move("timeline", "http_p99_ms", 30, 3800, 79),
                move("timeline", "requests_per_sec", 50, 50, 79),
            ],
            [
                *lines("timeline", "INFO", "timeline {n} read", 0, every=3),
                *lines("kernel", "WARN", "nvme0n1: I/O error, dev nvme0n1, sector {n}", 78.5, every=2),
                *lines("timeline", "ERROR", "read of segment took 3700ms", 79),
            ],
            [change("decoy", 74, "timeline", "timeline/read.go", "refactor: segment reader", TIDY_CLIENT)],
            calls=(("web", "timeline"),),
        ),
        incident(
            "holiday-sale",
            "load",
            ("checkout", "http_p99_ms", "checkout above one second", 73),
            [
                move("web", "requests_per_sec", 700, 5200, 66, ramp=4),
                move("checkout", "requests_per_sec", 90, 700, 66, ramp=4),
                move("checkout", "cpu_utilization", 0.35, 1.0, 68),
                move("checkout", "http_p99_ms", 110, 2900, 69),
                move("stock", "requests_per_sec", 140, 1050, 66, ramp=4),
            ],
            [
                *lines("checkout", "INFO", "order {n} placed", 0, every=3),
                *lines("checkout", "WARN", "no free worker, waiting", 69),
                *lines("hpa", "INFO", "scaling up checkout from 4 to 10", 69, every=9),
            ],
            [
                change("decoy", 60, "checkout", "checkout/handler.go", "refactor: handler", TIDY_HANDLER),
                change(
                    "cache",
                    50,
                    "checkout",
                    "checkout/config/app.yaml",
                    "chore: cache",
                    "-  entries: 5000\n+  entries: 5500\n",
                ),
            ],
            calls=(("web", "checkout"), ("checkout", "stock")),
        ),
        incident(
            "partner-file-broken",
            "data",
            ("importer", "import_errors", "import is stuck", 69),
            [move("importer", "import_errors", 0.0, 25.0, 63)],
            [
                *lines("importer", "INFO", "imported row {n}", 0, every=3, until=62),
                *lines(
                    "importer",
                    "ERROR",
                    "row 48113 of partner-2026-05-27.csv: malformed date '31/02/2026'; retrying the file",
                    63,
                ),
            ],
            [
                change("decoy", 58, "importer", "importer/parse.go", "refactor: date parsing helper", TIDY_HANDLER),
                change("css", 62, "web", "web/site.css", "style", "-.a { margin: 1px; }\n+.a { margin: 3px; }\n"),
            ],
        ),
        incident(
            "resolver-of-the-cluster",
            "dns",
            ("quotes", "http_5xx_ratio", "quotes loses its upstreams", 71),
            [
                move("kube-dns", "dns_request_duration_p99_ms", 3, 5000, 66),
                move("quotes", "http_5xx_ratio", 0.001, 0.4, 67),
                move("rates", "http_5xx_ratio", 0.001, 0.3, 67),
            ],
            [
                *lines("quotes", "INFO", "quote {n} given", 0, every=3),
                *lines("quotes", "ERROR", "getaddrinfo EAI_AGAIN rates.internal", 67),
                *lines("rates", "ERROR", "getaddrinfo EAI_AGAIN ledger.internal", 67.2),
            ],
            [
                change("decoy", 64, "quotes", "quotes/rates_client.go", "refactor: rates client", TIDY_CLIENT),
                change("decoy2", 65.5, "rates", "rates/handler.go", "refactor: handler", TIDY_HANDLER),
            ],
            calls=(("web", "quotes"), ("quotes", "rates")),
        ),
    ]

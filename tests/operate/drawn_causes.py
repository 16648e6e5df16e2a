"""Incidents that no change caused, each with a change that went live shortly before."""

from __future__ import annotations

from tests.operate.incidents import BUMP, TIDY_CLIENT, TIDY_HANDLER, Incident, change, incident, lines, move


def draw() -> list[Incident]:
    """The incidents that no change caused."""
    return [
        incident(
            "resolver-slow",
            "dns",
            ("orders", "http_5xx_ratio", "orders cannot reach its database", 80),
            [
                move("coredns", "coredns_dns_request_duration_p99_ms", 2, 4800, 75),
                move("orders", "http_5xx_ratio", 0.002, 0.3, 76),
                move("users", "http_5xx_ratio", 0.002, 0.2, 76),
            ],
            [
                *lines("orders", "INFO", "order {n} stored", 0, every=4),
                *lines("orders", "ERROR", "dial tcp: lookup orders-db.prod.svc: i/o timeout", 76),
                *lines("users", "ERROR", "dial tcp: lookup users-db.prod.svc: i/o timeout", 76.3),
            ],
            [change("decoy", 72, "orders", "services/orders/client.go", "refactor: database client", TIDY_CLIENT)],
            calls=(("web", "orders"), ("web", "users")),
        ),
        incident(
            "object-store-down",
            "dependency",
            ("media", "upload_error_ratio", "uploads fail", 66),
            [
                move("media", "upload_error_ratio", 0.002, 0.7, 61),
                move("s3", "s3_5xx_ratio", 0.0, 0.6, 60),
                move("web", "http_5xx_ratio", 0.001, 0.1, 62),
            ],
            [
                *lines("media", "INFO", "stored object {n}", 0, every=4),
                *lines(
                    "media", "ERROR", "PutObject https://media.s3.eu-west-1.amazonaws.com: 503 Service Unavailable", 61
                ),
            ],
            [
                change("decoy", 55, "media", "services/media/upload.go", "refactor: uploader", TIDY_CLIENT),
                change("bump", 50, "media", "go.mod", "chore: bump sdk", BUMP),
            ],
            calls=(("web", "media"),),
        ),
        incident(
            "partner-certificate",
            "certificate",
            ("checkout", "payment_error_ratio", "card payments fail", 70),
            [move("checkout", "payment_error_ratio", 0.004, 0.99, 65)],
            [
                *lines("checkout", "INFO", "payment {n} settled", 0, every=4, until=64),
                *lines(
                    "checkout",
                    "ERROR",
                    "Post https://gateway.bank.example/v2/charge: x509: certificate has expired or is not yet valid",
                    65,
                ),
            ],
            [
                change(
                    "decoy", 61, "checkout", "services/checkout/bank/client.go", "refactor: bank client", TIDY_CLIENT
                ),
                change("handler", 63, "checkout", "services/checkout/handler.go", "refactor: handler", TIDY_HANDLER),
            ],
            flags={"checkout_new_summary": 62.0},
        ),
        incident(
            "password-expired",
            "secret",
            ("reports", "job_failures", "reports cannot log in", 60),
            [move("reports", "job_failures", 0.0, 12.0, 55)],
            [
                *lines("reports", "INFO", "report {n} built", 0, every=4, until=54),
                *lines("reports", "ERROR", 'FATAL: password authentication failed for user "reporting"', 55),
            ],
            [change("decoy", 50, "reports", "services/reports/build.py", "refactor: builder", TIDY_CLIENT)],
        ),
        incident(
            "maps-quota",
            "quota|dependency",
            ("routes", "http_5xx_ratio", "routing fails", 77),
            [move("routes", "http_5xx_ratio", 0.001, 0.6, 72)],
            [
                *lines("routes", "INFO", "route {n} found", 0, every=4, until=71),
                *lines("routes", "ERROR", "maps provider: 429 daily quota exceeded for project", 72),
            ],
            [
                change("decoy", 66, "routes", "services/routes/handler.go", "refactor: handler", TIDY_HANDLER),
                change(
                    "log",
                    70,
                    "routes",
                    "services/routes/log.go",
                    "chore: log",
                    '-\tlog.Print("r")\n+\tlog.Print("route", id)\n',
                ),
            ],
        ),
        incident(
            "node-lost",
            "platform",
            ("carts", "http_5xx_ratio", "carts lost half of its pods", 68),
            [
                move("carts", "http_5xx_ratio", 0.001, 0.3, 63),
                move("carts", "ready_pods", 6, 3, 63),
                move("node-10-2-3-4", "node_up", 1, 0, 62),
            ],
            [
                *lines("carts", "INFO", "cart {n} stored", 0, every=4),
                *lines("kube-controller", "WARN", "Node node-10-2-3-4 status is now: NodeNotReady", 62.5, every=5),
                *lines("web", "ERROR", "carts: connection refused", 63),
            ],
            [change("decoy", 58, "carts", "services/carts/client.go", "refactor: client", TIDY_CLIENT)],
            calls=(("web", "carts"),),
        ),
        incident(
            "bots",
            "load",
            ("login", "http_p99_ms", "login is slow", 84),
            [
                move("edge", "requests_per_sec", 300, 4100, 78),
                move("login", "requests_per_sec", 40, 3600, 78),
                move("login", "cpu_utilization", 0.3, 0.99, 79),
                move("login", "http_p99_ms", 60, 3900, 80),
            ],
            [
                *lines("login", "INFO", "login {n}", 0, every=4),
                *lines("login", "WARN", "worker queue is full, request rejected", 80),
            ],
            [
                change("decoy", 71, "login", "services/login/handler.go", "refactor: handler", TIDY_HANDLER),
                change(
                    "log",
                    75,
                    "edge",
                    "services/edge/log.go",
                    "chore: log",
                    '-\tlog.Print("r")\n+\tlog.Print("request", id)\n',
                ),
            ],
            calls=(("edge", "login"),),
        ),
        incident(
            "database-failover",
            "platform",
            ("stock", "http_5xx_ratio", "stock cannot write", 59),
            [move("stock", "http_5xx_ratio", 0.001, 0.8, 55), move("stock-db", "replication_lag_seconds", 0.1, 70, 54)],
            [
                *lines("stock", "INFO", "stock {n} counted", 0, every=4),
                *lines("stock", "ERROR", "FATAL: terminating connection due to administrator command", 55, until=57),
                *lines("stock", "ERROR", "ERROR: cannot execute UPDATE in a read-only transaction", 56),
            ],
            [change("decoy", 47, "stock", "services/stock/handler.go", "refactor: handler", TIDY_HANDLER)],
            calls=(("stock", "stock-db"),),
        ),
        incident(
            "same-bad-message",
            "data",
            ("shipping", "consumer_error_ratio", "shipping is stuck", 73),
            [
                move("shipping", "consumer_error_ratio", 0.001, 1.0, 68),
                move("shipping", "consumer_lag", 5, 9000, 68, ramp=20),
            ],
            [
                *lines("shipping", "INFO", "parcel {n} labelled", 0, every=2, until=67),
                *lines(
                    "shipping",
                    "ERROR",
                    "SerializationException at offset 88120377 of topic parcels: Unknown magic byte!",
                    68,
                ),
            ],
            [change("decoy", 64, "shipping", "services/shipping/decode.go", "refactor: decoder", TIDY_HANDLER)],
        ),
        incident(
            "greedy-batch",
            "neighbour|work",
            ("quotes", "http_p99_ms", "quotes is slow", 76),
            [
                move("nightly-export", "container_cpu_usage_cores", 0.0, 7.0, 70),
                move("node-7", "node_cpu_utilization_ratio", 0.3, 0.98, 70),
                move("quotes", "container_cpu_cfs_throttled_seconds", 0.01, 8.0, 71),
                move("quotes", "http_p99_ms", 45, 2600, 72),
                move("quotes", "requests_per_sec", 80, 80, 70),
            ],
            [
                *lines("quotes", "INFO", "quote {n} given", 0, every=4),
                *lines("quotes", "WARN", "handler was starved of CPU for {n}ms", 72),
            ],
            [
                change(
                    "decoy",
                    62,
                    "quotes",
                    "services/quotes/config/app.yaml",
                    "chore: cache size",
                    "-  entries: 5000\n+  entries: 6000\n",
                ),
                change("handler", 66, "quotes", "services/quotes/handler.go", "refactor: handler", TIDY_HANDLER),
            ],
            calls=(("web", "quotes"),),
        ),
        incident(
            "provider-slow",
            "dependency",
            ("notify", "http_p99_ms", "notifications are late", 81),
            [
                move("notify", "external_request_p99_ms", 90, 9000, 75),
                move("notify", "http_p99_ms", 140, 9100, 75),
                move("notify", "queue_depth", 3, 900, 77),
            ],
            [
                *lines("notify", "INFO", "message {n} handed over", 0, every=4),
                *lines("notify", "WARN", "twilio api timed out after 10000ms", 75.5),
            ],
            [
                change("decoy", 70, "notify", "services/notify/handler.go", "refactor: handler", TIDY_HANDLER),
                change("bump", 60, "notify", "go.mod", "chore: bump sdk", BUMP),
            ],
        ),
        incident(
            "nobody-knows",
            "unexplained|dependency|platform|load|neighbour",
            ("ratings", "http_5xx_ratio", "ratings fails now and then", 90),
            [move("ratings", "http_5xx_ratio", 0.001, 0.05, 85)],
            [
                *lines("ratings", "INFO", "rating {n} stored", 0, every=4),
                *lines("ratings", "ERROR", "unexpected end of stream", 85.2, every=2),
            ],
            [
                change("decoy", 12, "ratings", "services/ratings/handler.go", "refactor: handler", TIDY_HANDLER),
                change("css", 80, "web", "web/site.css", "style", "-.a { margin: 1px; }\n+.a { margin: 3px; }\n"),
            ],
            calls=(("web", "ratings"),),
        ),
    ]

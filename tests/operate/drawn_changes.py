"""Incidents that a change caused, each of another fault, with an innocent change nearer to the alert."""

from __future__ import annotations

from tests.operate.incidents import TIDY_CLIENT, TIDY_HANDLER, Incident, change, incident, lines, move


def draw() -> list[Incident]:
    """The incidents that a change caused."""
    return [
        incident(
            "cache-never-evicts",
            "culprit",
            ("profile", "container_restarts", "profile pods are OOMKilled", 100),
            [
                move("profile", "container_memory_working_set_bytes", 3e8, 1.9e9, 42, ramp=55),
                move("profile", "container_restarts", 0.0, 4.0, 97),
                move("web", "http_5xx_ratio", 0.002, 0.08, 98),
            ],
            [
                *lines("profile", "INFO", "profile {n} loaded", 0, every=3),
                *lines("kubelet", "WARN", "Container profile OOMKilled: memory limit 2Gi exceeded", 97, every=3),
                *lines("web", "ERROR", "profile: connection reset by peer", 98, every=1),
            ],
            [
                change(
                    "culprit",
                    40,
                    "profile",
                    "services/profile/cache.go",
                    "perf: keep loaded profiles",
                    "-\tc.lru.Add(id, p)\n-\tc.lru.EvictOldest()\n+\tc.mu.Lock()\n+\tc.all[id] = p\n+\tc.mu.Unlock()\n",
                ),
                change("decoy", 94, "profile", "services/profile/handler.go", "refactor: decode helper", TIDY_HANDLER),
                change(
                    "web-css",
                    96,
                    "web",
                    "web/static/site.css",
                    "style: header",
                    "-.h { margin: 1px; }\n+.h { margin: 2px; }\n",
                ),
            ],
            calls=(("web", "profile"),),
        ),
        incident(
            "pool-too-small",
            "culprit",
            ("orders", "http_p99_ms", "orders p99 above 1s", 80),
            [
                move("orders", "http_p99_ms", 120, 4100, 76),
                move("orders", "db_pool_wait_ms", 1, 2900, 75),
                move("orders", "db_pool_in_use", 12, 5, 75),
                move("web", "http_p99_ms", 180, 4300, 77),
            ],
            [
                *lines("orders", "INFO", "order {n} stored", 0, every=4),
                *lines("orders", "ERROR", "could not acquire connection from pool within 3000ms: pool exhausted", 75.5),
                *lines("web", "WARN", "orders answered slowly", 77),
            ],
            [
                change(
                    "culprit",
                    73,
                    "orders",
                    "services/orders/config/db.yaml",
                    "chore: database settings for the new plan",
                    " pool:\n-  max_open_conns: 40\n+  max_open_conns: 5\n   idle: 2\n",
                ),
                change("decoy", 75, "orders", "services/orders/client.go", "refactor: orders client", TIDY_CLIENT),
            ],
            calls=(("web", "orders"),),
            flags={"orders_new_receipt": 60.0},
        ),
        incident(
            "retries-without-backoff",
            "culprit",
            ("inventory", "http_5xx_ratio", "inventory sheds load", 85),
            [
                move("inventory", "requests_per_sec", 200, 1900, 81),
                move("inventory", "http_5xx_ratio", 0.002, 0.4, 82),
                move("cart", "http_5xx_ratio", 0.002, 0.2, 82),
                move("web", "requests_per_sec", 150, 151, 81),
            ],
            [
                *lines("cart", "INFO", "cart {n} priced", 0, every=4),
                *lines("inventory", "ERROR", "server overloaded, rejecting request", 82),
                *lines("cart", "WARN", "retrying inventory call, attempt {n}", 81),
            ],
            [
                change(
                    "culprit",
                    80,
                    "cart",
                    "services/cart/inventory_client.go",
                    "fix: be more persistent when inventory hiccups",
                    "-\tfor attempt := 0; attempt < 2; attempt++ {\n+\tfor attempt := 0; attempt < 12; attempt++ {\n"
                    " \t\tres, err := c.get(ctx, sku)\n-\t\ttime.Sleep(backoff(attempt))\n",
                ),
                change("decoy", 81, "inventory", "services/inventory/handler.go", "refactor: handler", TIDY_HANDLER),
            ],
            calls=(("web", "cart"), ("cart", "inventory")),
        ),
        incident(
            "token-audience",
            "culprit",
            ("billing", "http_401_ratio", "billing refuses most callers", 70),
            [move("billing", "http_401_ratio", 0.001, 0.93, 66), move("web", "http_5xx_ratio", 0.001, 0.4, 67)],
            [
                *lines("billing", "INFO", "invoice {n} issued", 0, every=4),
                *lines("billing", "ERROR", "401 unauthorized: token audience mismatch", 66.2),
                *lines("web", "ERROR", "billing answered 401", 66.5),
            ],
            [
                change(
                    "culprit",
                    65,
                    "billing",
                    "services/billing/auth/verify.py",
                    "refactor: one place for token settings",
                    "-    claims = jwt.decode(token, key, audience=settings.audience)\n"
                    '+    claims = jwt.decode(token, key, audience="billing-internal")\n',
                ),
                change("decoy", 66, "billing", "services/billing/client.py", "refactor: client", TIDY_CLIENT),
            ],
            calls=(("web", "billing"),),
        ),
        incident(
            "renamed-variable",
            "culprit",
            ("payments", "http_5xx_ratio", "payments fail at start", 52),
            [move("payments", "http_5xx_ratio", 0.001, 0.99, 48)],
            [
                *lines("payments", "INFO", "payment {n} settled", 0, every=4, until=47),
                *lines("payments", "FATAL", "missing required environment variable PAYMENTS_API_KEY", 48),
            ],
            [
                change(
                    "culprit",
                    47.5,
                    "payments",
                    "services/payments/settings.ts",
                    "chore: consistent names",
                    '-  apiKey: need("STRIPE_API_KEY"),\n+  apiKey: need("PAYMENTS_API_KEY"),\n',
                ),
                change(
                    "decoy",
                    47.8,
                    "web",
                    "web/src/Button.tsx",
                    "style: button",
                    '-<b className="x">\n+<b className="y">\n',
                ),
                change(
                    "log",
                    40,
                    "payments",
                    "services/payments/log.ts",
                    "chore: log ids",
                    '-  log.info("paid")\n+  log.info("paid", id)\n',
                ),
            ],
        ),
        incident(
            "lock-held-over-call",
            "culprit",
            ("sessions", "http_p99_ms", "sessions hang", 90),
            [
                move("sessions", "http_p99_ms", 15, 9000, 86),
                move("sessions", "goroutines", 300, 14000, 86, ramp=6),
                move("sessions", "requests_per_sec", 400, 60, 87),
            ],
            [
                *lines("sessions", "INFO", "session {n} opened", 0, every=2),
                *lines("sessions", "WARN", "waiting for session lock for more than 5s", 86),
            ],
            [
                change(
                    "culprit",
                    84,
                    "sessions",
                    "services/sessions/store.go",
                    "fix: race between refresh and logout",
                    "+\ts.lock.Lock()\n+\tdefer s.lock.Unlock()\n \tprofile, err := s.remote.Fetch(ctx, id)\n"
                    "-\ts.lock.Lock()\n \ts.open[id] = profile\n-\ts.lock.Unlock()\n",
                ),
                change("decoy", 85.5, "sessions", "services/sessions/handler.go", "refactor: handler", TIDY_HANDLER),
            ],
        ),
        incident(
            "cache-off",
            "culprit",
            ("catalog", "db_cpu_pct", "catalog database is at 98 %", 75),
            [
                move("catalog", "cache_hit_ratio", 0.97, 0.01, 70),
                move("catalog", "db_queries_per_sec", 90, 2900, 70),
                move("catalog", "db_cpu_pct", 22, 98, 71),
                move("catalog", "http_p99_ms", 40, 900, 72),
            ],
            [
                *lines("catalog", "INFO", "page {n} rendered", 0, every=4),
                *lines("catalog", "WARN", "cache miss ratio above 90%", 71),
                *lines("catalog", "ERROR", "database query timeout", 73),
            ],
            [
                change(
                    "culprit",
                    69,
                    "catalog",
                    "services/catalog/config/app.toml",
                    "chore: tidy defaults",
                    " [cache]\n-ttl_seconds = 3600\n+ttl_seconds = 0\n",
                ),
                change(
                    "decoy",
                    70,
                    "catalog",
                    "go.mod",
                    "chore: bump sdk",
                    "-\tgithub.com/x/sdk v1.0.3\n+\tgithub.com/x/sdk v1.0.4\n",
                ),
            ],
        ),
        incident(
            "memory-limit-lowered",
            "culprit",
            ("search", "container_restarts", "search restarts", 66),
            [move("search", "container_restarts", 0.0, 6.0, 61), move("search", "http_5xx_ratio", 0.001, 0.5, 61)],
            [
                *lines("search", "INFO", "query {n} answered", 0, every=4),
                *lines(
                    "kubelet",
                    "WARN",
                    "Memory cgroup out of memory: killed process java in container search",
                    61,
                    every=2,
                ),
                *lines("web", "ERROR", "search unavailable", 61.3),
            ],
            [
                change(
                    "culprit",
                    60,
                    "search",
                    "charts/search/values.yaml",
                    "chore: right-size search",
                    " resources:\n   limits:\n-    memory: 4Gi\n+    memory: 512Mi\n",
                ),
                change("decoy", 60.5, "web", "web/gateway.go", "refactor: gateway", TIDY_CLIENT),
            ],
            calls=(("web", "search"),),
        ),
        incident(
            "tls-floor-raised",
            "culprit",
            ("partners", "handshake_error_ratio", "partners cannot connect", 64),
            [move("partners", "handshake_error_ratio", 0.001, 0.6, 58)],
            [
                *lines("partners", "INFO", "file {n} received", 0, every=4),
                *lines("partners", "ERROR", "TLS handshake error: tls: client offered only unsupported versions", 58.2),
            ],
            [
                change(
                    "culprit",
                    57.5,
                    "partners",
                    "services/partners/listen.go",
                    "security: modern transport",
                    "-\ttls := &tls.Config{MinVersion: tls.VersionTLS10}\n"
                    "+\ttls := &tls.Config{MinVersion: tls.VersionTLS13}\n",
                ),
                change("decoy", 58, "partners", "services/partners/handler.go", "refactor: handler", TIDY_HANDLER),
            ],
        ),
        incident(
            "wrong-host-name",
            "culprit",
            ("mailer", "send_error_ratio", "mails are not sent", 62),
            [move("mailer", "send_error_ratio", 0.001, 1.0, 56)],
            [
                *lines("mailer", "INFO", "mail {n} sent", 0, every=4, until=55),
                *lines(
                    "mailer",
                    "ERROR",
                    "dial tcp: lookup smtp-relay.internal.example on 10.0.0.10:53: no such host",
                    56.1,
                ),
            ],
            [
                change(
                    "culprit",
                    55.5,
                    "mailer",
                    "services/mailer/config/prod.yaml",
                    "chore: use the relay",
                    "-smtp_host: smtp.internal.example\n+smtp_host: smtp-relay.internal.example\n",
                ),
                change("decoy", 56, "mailer", "services/mailer/client.go", "refactor: client", TIDY_CLIENT),
            ],
        ),
        incident(
            "field-renamed",
            "culprit",
            ("ledger", "consumer_error_ratio", "ledger cannot read events", 72),
            [
                move("ledger", "consumer_error_ratio", 0.001, 0.97, 67),
                move("ledger", "consumer_lag", 10, 40000, 67, ramp=20),
            ],
            [
                *lines("ledger", "INFO", "event {n} booked", 0, every=4, until=66),
                *lines("ledger", "ERROR", 'failed to decode event {n}: required field "accountId" is missing', 67),
            ],
            [
                change(
                    "culprit",
                    66,
                    "accounts",
                    "services/accounts/events/Opened.java",
                    "refactor: align names with the glossary",
                    '-    @JsonProperty("accountId")\n+    @JsonProperty("account_ref")\n'
                    "     private final String id;\n",
                ),
                change("decoy", 66.8, "ledger", "services/ledger/handler.go", "refactor: handler", TIDY_HANDLER),
            ],
            calls=(("accounts", "ledger"),),
        ),
        incident(
            "check-dropped",
            "culprit",
            ("pricing", "http_5xx_ratio", "pricing fails for some baskets", 74),
            [move("pricing", "http_5xx_ratio", 0.001, 0.12, 70)],
            [
                *lines("pricing", "INFO", "basket {n} priced", 0, every=2),
                *lines("pricing", "ERROR", "ZeroDivisionError: division by zero in discount_share", 70.1),
            ],
            [
                change(
                    "culprit",
                    68,
                    "pricing",
                    "services/pricing/discount.py",
                    "refactor: simplify the discount",
                    "@@ def discount_share(basket):\n-    if not basket.total:\n-        return 0\n"
                    "     return basket.discount / basket.total\n",
                ),
                change("decoy", 69.5, "pricing", "services/pricing/client.py", "refactor: client", TIDY_CLIENT),
            ],
        ),
    ]

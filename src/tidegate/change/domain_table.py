"""The table of sensitive areas. It is meant to be read, argued about, and extended in tidegate.toml.

`paths` are patterns as in .gitignore; they count for source, configuration and what else is neither test, document nor
example, and with `everywhere` for data and generated files too. `content` are RE2 patterns that are searched in added
and removed lines of source and configuration written by hand; comments are passed over. A pattern earns its place by
precision: a word that is usually innocent (`user`, `session`, `token`, `model`) is not in here by itself.
"""

from __future__ import annotations

from tidegate.change.domain_values import JVM, PYTHON, SCRIPT, WORKFLOWS, Domain, Search
from tidegate.change.kinds import LOCK_FILES

DOMAINS: tuple[Domain, ...] = (
    Domain(
        name="auth",
        meaning="who may sign in and what they may do: sign-in, sessions, tokens, roles, permissions",
        critical=True,
        paths=(
            *("**/auth/**", "**/authn/**", "**/authz/**", "**/oauth/**", "**/oauth2/**", "**/oidc/**", "**/saml/**"),
            *("**/sso/**", "**/rbac/**", "**/acl/**", "**/iam/**", "**/permissions/**", "**/authentication/**"),
            *("**/authorization/**", "auth.*", "auth_*.*", "auth-*.*", "*_auth.*", "*-auth.*", "oauth*.*"),
            *("*_oauth*.*", "*-oauth*.*", "login.*", "login_*.*", "logout.*", "signin.*", "*_jwt.*", "jwt*.*"),
            *("saml*.*", "oidc*.*", "rbac.*", "rbac_*.*", "permission.*", "permissions.*", "*_permissions.*"),
            *("authentication.*", "authorization.*", "authenticator.*", "password.*", "passwords.*", "password_*.*"),
            *("mfa*.*", "totp*.*", "webauthn*.*", "*Auth.*", "*Authentication.*", "*Authorization.*"),
            *("*Permissions.*", "*SecurityConfig.*"),
        ),
        content=(
            r"\bjwt\.(?:encode|decode|sign|verify|Parse|ParseWithClaims|NewWithClaims)\b|\bjose\.\w+",
            r"\b(?:check_password|set_password|verify_password|make_password|hash_password|check_password_hash)\b",
            r"\b(?:generate_password_hash|bcrypt|argon2|passlib|pbkdf2_hmac)\b",
            r"@(?:login_required|permission_required|requires_auth|require_permissions?|user_passes_test)\b",
            r"\b(?:permission_classes|authentication_classes|IsAuthenticated|IsAdminUser|AllowAny)\b",
            r"@(?:PreAuthorize|PostAuthorize|Secured|RolesAllowed|PermitAll)\b|\bhasRole\(|\bhasAuthority\(",
            r"\b(?:csrf_exempt|csrf_protect|protect_from_forgery|skip_before_action|AllowAnonymous)\b",
            r"\b(?:is_superuser|is_admin|isAdmin|is_staff|has_perm|hasPermission|has_permission|check_permission)\b",
            r"\bpassport\.(?:use|authenticate)\(|\bgetServerSession\(|\b(?:HTTPBasicAuth|HTTPBearer|OAuth2\w*)\(",
            r"""["'](?:Authorization|authorization|WWW-Authenticate|Proxy-Authorization)["']""",
            r"\b(?:SetBasicAuth|ParseBasicAuth|BasicAuth)\(|\b(?:refresh_token|id_token)\b",
            r"\b(?:set_cookie|setCookie|SetCookie|http\.Cookie)\b|\b(?:SESSION|CSRF)_COOKIE_\w+",
        ),
    ),
    Domain(
        name="secrets",
        meaning="keys, passwords and tokens, and the code that stores or fetches them",
        critical=True,
        everywhere=True,
        paths=(
            *("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "id_rsa*", "id_ed25519*", "*.kdbx", "*.ppk"),
            *(".env", ".env.*", "*.env", ".npmrc", ".pypirc", ".netrc", ".htpasswd", ".dockercfg"),
            *(".git-credentials", "**/secrets/**", "secrets.*", "*-secrets.y*ml", "*_secrets.*", "*-secret.y*ml"),
            *("*_secret.y*ml", "credentials", "credentials.*", "**/vault/**", "*.sops.y*ml", "*.sops.json"),
            *(".sops.y*ml", ".gitleaks.toml", ".secrets.baseline", "service-account*.json", "service_account*.json"),
        ),
        ignore=(".env.example", ".env.sample", ".env.template", ".env.dist", "*.env.example", "*.env.sample", "*.pub"),
        content=(
            r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY",
            Search(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{60,}", hide=True),
            Search(r"\bglpat-[\w-]{20}|\bxox[abprs]-[\w-]{10,}|\bsk_live_[A-Za-z0-9]{16,}", hide=True),
            Search(r"\bsk-ant-[\w-]{20,}|\bAIza[\w-]{35}\b", hide=True),
            Search(
                r"(?i)\b\w*(?:api_?key|secret_?key|client_?secret|password|passwd|access_?token|auth_?token|private_?key)"
                r"""["']?\s*(?::=|[:=])\s*(?:[rbf]?["'])[^"'\s$<{}%]{8,}["']""",
                unless=r"(?i:example|dummy|mock|fake|test[-_]|placeholder|changeme|change_me|your[-_]|xxxx|process\.env)"
                r"""|getenv|\bname\b|["'][A-Z][A-Z0-9_]+["']\W*$|["'][a-z]+(?:[_-][a-z]+)+["']"""
                r"|description|label|title|type\s*:|[a-z]+\.[a-z]+\.[a-z]+",
                hide=True,
            ),
            r"\b(?:get_secret_value|SecretClient|SecretManagerServiceClient|secretmanager\.|secretsmanager|hvac\.Client)\b",
            r"\b(?:SECRET_KEY|SECRET_KEY_BASE|MASTER_KEY|ENCRYPTION_KEY)\b",
            Search(r"\$\{\{ *secrets\.\w+", files=WORKFLOWS, unless=r"secrets\.GITHUB_TOKEN"),
        ),
    ),
    Domain(
        name="cryptography",
        meaning="encryption, signatures, hashes, certificates, random numbers that must not be guessed",
        critical=True,
        paths=(
            *("**/crypto/**", "**/cryptography/**", "**/encryption/**", "**/pki/**", "**/x509/**", "**/tls/**"),
            *("crypto.*", "encryption.*", "encrypt*.*", "*_crypto.*", "*_encryption.*", "*-crypto.*", "signing.*"),
            *("tls.*", "tls_*.*", "ssl.*", "ssl_*.*", "certificates.*", "cipher*.*", "*Cipher.*", "*Encryption.*"),
        ),
        content=(
            r"\bhashlib\.\w+|\bhmac\.(?:new|compare_digest|digest|New)\b",
            r"\bcrypto/(?:aes|rsa|ecdsa|ed25519|hmac|sha\d+|md5|tls|x509|rand)\b",
            r"\bssl\.(?:create_default_context|SSLContext|CERT_NONE|CERT_REQUIRED|_create_unverified_context|wrap_socket)\b",
            r"\bverify\s*=\s*False\b|\bInsecureSkipVerify\b|\brejectUnauthorized\b|\bNODE_TLS_REJECT_UNAUTHORIZED\b",
            r"\bCURLOPT_SSL_VERIFY\w+|\bcheck_hostname\s*=",
            r"\b(?:createCipheriv|createDecipheriv|createHmac|createHash|createSign|createVerify)\(",
            r"\b(?:randomBytes|timingSafeEqual)\(",
            r"\bcrypto\.subtle\b|\bcrypto\.(?:sign|verify|scrypt|pbkdf2|generateKeyPair)\w*\(",
            r"\b(?:MessageDigest|KeyPairGenerator|SecretKeySpec|SecureRandom|KeyStore|TrustManager|HostnameVerifier)\b",
            r"\bCipher\.getInstance\b|\bMac\.getInstance\b",
            r"\b(?:from cryptography|import cryptography|Fernet\(|AESGCM|ChaCha20Poly1305|x509|load_pem_\w+)",
            r"\btls\.Config\b|\bx509\.\w+\(|\bEVP_\w+\(|\bSSL_CTX_\w+\(|\bOpenSSL::\w+",
            r"\bsecrets\.(?:token_\w+|compare_digest|choice|randbelow)\b",
        ),
    ),
    Domain(
        name="payments",
        meaning="money: payments, refunds, invoices, prices, payouts",
        critical=True,
        paths=(
            *("**/payment/**", "**/payments/**", "**/billing/**", "**/invoicing/**", "**/invoices/**"),
            *("**/refunds/**", "**/payouts/**", "**/stripe/**", "**/paypal/**", "**/adyen/**", "**/braintree/**"),
            *("payment*.*", "*_payment*.*", "*-payment*.*", "*Payment.*", "*Payments.*", "*PaymentService.*"),
            *("billing*.*", "*_billing*.*", "*-billing*.*", "*Billing.*", "invoice*.*", "*_invoice*.*", "*Invoice.*"),
            *("refund*.*", "*_refund*.*", "*Refund.*", "payout*.*", "stripe*.*", "*_stripe*.*", "paypal*.*"),
        ),
        ignore=("*billing_address*", "*billing-address*", "*BillingAddress*"),
        content=(
            r"\bstripe\.[A-Za-z]\w*|\bStripe\(|\bbraintree\.\w+|\bpaypalrestsdk\b|\badyen\.\w+",
            r"\b(?:PaymentIntent|payment_intent|paymentIntent|PaymentMethod|payment_method|capture_payment)\b",
            r"\b(?:create_charge|refund_payment|issue_refund|charge_customer|createRefund|createCharge)\b",
            r"\b(?:card_number|cardNumber|cvv|cvc|iban)\b",
        ),
    ),
    Domain(
        name="compliance-privacy",
        meaning="personal data and duties of law: consent, retention, deletion, audit trails",
        critical=True,
        paths=(
            *("**/gdpr/**", "**/privacy/**", "**/compliance/**", "**/pii/**", "**/consent/**", "gdpr*.*"),
            *("*_gdpr*.*", "privacy*.*", "consent*.*", "*_consent.*", "*_retention.*", "retention*.*"),
            *("anonymi[sz]*.*", "*_pii*.*", "pii*.*", "audit_log*.*", "auditlog*.*", "audit-log*.*", "*AuditLog.*"),
            *("data_export*.*", "takeout*.*"),
        ),
        content=(
            r"(?i)\b(?:social_security|ssn|date_of_birth|passport_number|national_id|tax_id|medical_record|patient_id)\b",
            r"(?i)\b(?:gdpr|hipaa|ccpa|pci_?dss)(?:\b|_)",
            r"(?i)\b\w*(?:anonymi[sz]e|pseudonymi[sz]e|redact|scrub)_?(?:user|pii|personal|data|ip|email)\w*\b|\bsend_default_pii\b",
            r"\b(?:AuditLog|audit_log|auditLog|AuditEvent|audit_event)\b|\b(?:data_retention|retention_days|retentionDays)\b",
        ),
    ),
    Domain(
        name="migrations",
        meaning="changes to the shape of stored data, which cannot simply be undone",
        critical=True,
        everywhere=True,
        paths=(
            *("**/migrations/**", "**/migration/**", "**/db/migrate/**", "**/alembic/versions/**", "**/flyway/**"),
            *("**/liquibase/**", "V[0-9]*__*.sql", "*.up.sql", "*.down.sql", "**/schema.rb", "**/structure.sql"),
            *("schema.prisma", "alembic.ini", "**/alembic/env.py", "**/knex/**", "*changelog*.xml", "schema.sql"),
        ),
        ignore=("**/migrations/__init__.py", "*.snap"),
        content=(
            r"\b(?:ALTER|DROP|TRUNCATE|RENAME)\s+(?:TABLE|COLUMN|INDEX|DATABASE|SCHEMA|CONSTRAINT|TYPE|VIEW)\b",
            r"\bCREATE\s+(?:UNIQUE\s+|TEMP(?:ORARY)?\s+|OR\s+REPLACE\s+)?(?:TABLE|INDEX|DATABASE|SCHEMA|VIEW|TYPE|TRIGGER)\b",
            r"\bop\.(?:add_column|drop_column|alter_column|create_table|drop_table|execute|create_index|drop_index)\(",
            r"\bmigrations\.(?:AddField|RemoveField|AlterField|RenameField|CreateModel|DeleteModel|RunSQL|RunPython)\b",
            r"\bqueryInterface\.(?:addColumn|removeColumn|changeColumn|createTable|dropTable)\(|\bAutoMigrate\(",
        ),
    ),
    Domain(
        name="data-access",
        meaning="reading and writing stored data: queries, repositories, transactions, caches of them",
        critical=False,
        paths=(
            *("**/repositories/**", "**/dao/**", "**/daos/**", "**/db/**", "**/database/**", "**/databases/**"),
            *("**/orm/**", "**/persistence/**", "*.sql", "*Repository.*", "*_repository.*", "*Dao.*", "*DAO.*"),
            *("*_dao.*", "database.*", "db.*", "db_*.*", "*_db.*", "queries.*", "*_queries.*", "*.prisma"),
        ),
        ignore=("*.y*ml", "*.toml", "*.json"),
        content=(
            r"\bSELECT\s.{1,200}\sFROM\b|\bINSERT\s+INTO\b|\bUPDATE\s+\S+\s+SET\b|\bDELETE\s+FROM\b",
            r"\b(?:cursor|cur|conn|connection|db|tx|engine)\.(?:execute|executemany|executescript|exec_driver_sql)\(",
            r"\b(?:db|tx|conn|stmt)\.(?:Query|QueryRow|Exec|QueryContext|QueryRowContext|ExecContext|Begin|BeginTx|Prepare)\(",
            r"\bsession\.(?:query|execute|scalars?|add|commit|rollback|merge)\(|\bselect\(\w+\)\.where\(",
            r"\.objects\.(?:filter|get|create|update|exclude|raw|bulk_create|get_or_create|update_or_create|all)\(",
            r"\b(?:transaction\.atomic|on_commit|select_for_update|createQueryBuilder|entityManager|EntityManager)\b",
            r"\bprisma\.\w+\.(?:find\w+|create\w*|update\w*|delete\w*|upsert)\(|\bprisma\.\$\w+",
            r"\b(?:knex|sequelize|mongoose|gorm|sqlx|diesel)\b[.:(]|\bActiveRecord::",
            r"\.(?:findOne|findById|updateOne|updateMany|deleteOne|deleteMany|insertOne|insertMany|aggregate)\(",
            Search(r"@(?:Query|Transactional|Modifying|Repository)\b", files=JVM),
            r"\b(?:redis|Redis|memcache)\.(?:get|set|hset|hget|expire|delete|incr|eval|NewClient|StrictRedis)\b",
        ),
    ),
    Domain(
        name="infrastructure",
        meaning="what runs where: servers, containers, clusters, cloud resources, deployment",
        critical=True,
        everywhere=True,
        paths=(
            *("*.tf", "*.tfvars", "*.tf.json", "*.bicep", "*.nomad", "**/terraform/**/*.hcl", "terragrunt.hcl"),
            *("Dockerfile", "Dockerfile.*", "*.dockerfile", "Containerfile", "docker-compose*.y*ml", "compose.y*ml"),
            *("compose.*.y*ml", "**/k8s/**", "**/kubernetes/**/*.y*ml", "**/helm/**/*.y*ml", "**/charts/**/*.y*ml"),
            *("**/templates/*.tpl", "Chart.yaml", "kustomization.y*ml", "helmfile.y*ml", "**/ansible/**/*.y*ml"),
            *("**/playbooks/**/*.y*ml", "**/cloudformation/**", "**/cfn/**", "Pulumi*.y*ml", "serverless.y*ml"),
            *("cdk.json", "fly.toml", "render.yaml", "Procfile", "app.yaml", "vercel.json", "netlify.toml"),
            *("wrangler.toml", "wrangler.json*", "**/systemd/**", "*.service", "**/packer/**", "skaffold.y*ml"),
            *("**/deploy/**/*.y*ml", "**/deployment/**/*.y*ml", "**/manifests/**/*.y*ml", "Vagrantfile"),
        ),
        ignore=(".devcontainer/**",),
        content=(
            Search(
                r"^\s*kind:\s*(?:Deployment|StatefulSet|DaemonSet|CronJob|Service|Ingress|ClusterRole\w*|Role\w*"
                r"|ConfigMap|Namespace|PersistentVolume\w*|HorizontalPodAutoscaler|PodDisruptionBudget)\b",
                files=("*.yaml", "*.yml"),
            ),
            Search(r"AWSTemplateFormatVersion|^\s*Type:\s*AWS::\w+", files=("*.yaml", "*.yml", "*.json", "*.template")),
            Search(r"""["'](?:aws-cdk-lib|@pulumi/\w+|@cdktf/\w+)["'/]""", files=SCRIPT),
            r"\bnew (?:aws|gcp|azure|k8s|kubernetes)\.[a-z]\w*\.\w+\(|\bpulumi_(?:aws|gcp|azure|kubernetes)\b",
        ),
    ),
    Domain(
        name="network",
        meaning="who can reach what: listeners, proxies, firewalls, DNS, cross-origin rules",
        critical=False,
        paths=(
            *("**/network/**", "**/networking/**", "**/nginx/**", "nginx*.conf*", "*.nginx", "haproxy*.cfg"),
            *("Caddyfile", "**/envoy/**", "**/traefik/**", "traefik*.*", "**/ingress/**", "*ingress*.y*ml"),
            *("**/firewall/**", "*firewall*.*", "*networkpolic*.*", "*network-polic*.*", "**/dns/**", "*.zone"),
            *("cors.*", "*_cors.*", "**/proxy/**", "**/proxies/**", "proxy.*", "*_proxy.*", "*-proxy.*", "vpc*.tf"),
            *("security_group*.tf", "network*.tf", "dns*.tf"),
        ),
        content=(
            r"(?i)\bAccess-Control-Allow-\w+|\bCORSMiddleware\b|\ballow_origins\b|\bCORS_\w+|\bcors\(",
            r"\b0\.0\.0\.0(?:/0)?\b|::/0\b",
            r"\bsocket\.(?:socket|create_connection|create_server|bind)\(|\bsocketserver\b",
            r"\bnet\.(?:Listen|Dial|DialTimeout|ListenPacket|ResolveTCPAddr)\b|\bhttp\.(?:ListenAndServe\w*|Server\{|Transport\{|RoundTripper)",
            r"\b(?:createServer|createProxyServer|createProxyMiddleware)\(|\bnew (?:WebSocketServer|ServerSocket)\(",
            r"\b(?:HTTP_PROXY|HTTPS_PROXY|NO_PROXY|ALL_PROXY)\b|\bX-Forwarded-(?:For|Proto|Host)\b",
            r"\b(?:cidr_blocks|security_groups?|ingress_rules?|egress_rules?|aws_security_group\w*|iptables|nftables)\b",
            r"\b(?:tcp_nodelay|SO_REUSEADDR|SO_KEEPALIVE|TrustedHostMiddleware|ALLOWED_HOSTS|trust proxy)\b",
        ),
    ),
    Domain(
        name="ci-cd",
        meaning="what builds, checks and publishes the software, with the rights that it has",
        critical=True,
        everywhere=True,
        paths=(
            *WORKFLOWS,
            *(".gitlab-ci.yml", "*.gitlab-ci.yml", ".gitlab/ci/**", "Jenkinsfile", "Jenkinsfile.*", "*.jenkinsfile"),
            *(".circleci/**", ".travis.yml", "azure-pipelines*.y*ml", ".azure-pipelines/**", ".buildkite/**"),
            *(".drone.yml", ".woodpecker/**", ".woodpecker.y*ml", "bitbucket-pipelines.yml", ".teamcity/**"),
            *(".tekton/**", "cloudbuild*.y*ml", "appveyor.yml", ".appveyor.yml", "buildspec*.y*ml", "codefresh.yml"),
            *(".goreleaser*.y*ml", ".releaserc*", ".pre-commit-config.yaml", ".pre-commit-hooks.yaml", ".husky/**"),
            *("dangerfile.*", "Dangerfile", ".github/dependabot.y*ml", "renovate.json*", ".github/CODEOWNERS"),
            *("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS", "tidegate.toml", ".tidegate/**", ".ci/**"),
        ),
    ),
    Domain(
        name="dependencies",
        meaning="code of others that this software takes in: versions, registries, vendored copies, submodules",
        critical=False,
        everywhere=True,
        paths=(
            *LOCK_FILES,
            *("requirements*.txt", "requirements*.in", "**/requirements/*.txt", "**/requirements/*.in"),
            *("constraints*.txt", "Pipfile", "go.mod", "go.work", "Gemfile", "*.gemspec", "Podfile", "Package.swift"),
            *("Cartfile", "pubspec.yaml", "rebar.config", "Brewfile", ".gitmodules", "environment.yml"),
            *("Directory.Packages.props", "packages.config", "libs.versions.toml", "pnpm-workspace.yaml"),
            *("package-lock.json", "MODULE.bazel*", ".npmrc", ".yarnrc*", "pip.conf", "WORKSPACE", "WORKSPACE.bazel"),
        ),
        content=(
            Search(
                r"""^\s*["'][A-Za-z][\w.-]*(?:\[[\w, -]+\])?\s*(?:[<>=~!]=|[<>]|@ )"""
                r"""|^\s*["'][a-z][a-z0-9_.-]*(?:\[[\w,-]+\])?["'],?\s*$|^\s*[\w.-]+\s*=\s*["'][~^<>=*]"""
                r"""|^\s*(?:install_requires|requires|dependencies)\b""",
                files=("pyproject.toml", "setup.py", "setup.cfg"),
                unless=r"requires-python|^\s*python\s*=|minversion",
            ),
            Search(
                r'^\s*"(?:@[\w.-]+/)?[\w./-]+"\s*:\s*"(?:[\^~<>=*]|\d+\.|workspace:|npm:|git|file:|link:|latest|next|https?:)',
                files=("package.json", "composer.json", "deno.json*", "bower.json"),
                unless=r'"(?:version|node|npm|yarn|pnpm|php|url|homepage|repository|\$schema)"\s*:',
            ),
            Search(
                r"""^\s*[\w-]+(?:\.workspace)?\s*=\s*(?:"[\^~<>=*\d]|true|\{.*\b(?:version|git|path|workspace)\b)""",
                files=("Cargo.toml",),
                unless=r"^\s*(?:version|edition|rust-version|resolver|debug|lto|publish|default-run|name|path)\s*=",
            ),
            Search(r"<(?:dependency|artifactId|groupId|parent|plugin)>", files=("pom.xml",)),
            Search(
                r"\b(?:implementation|api|compileOnly|runtimeOnly|testImplementation|classpath|annotationProcessor|kapt)\b"
                r"""\s*\(?\s*["'(lp]""",
                files=("*.gradle", "*.gradle.kts"),
            ),
            Search(r"<(?:PackageReference|PackageVersion)\b", files=("*.csproj", "*.fsproj", "*.vbproj", "*.props")),
            Search(r"""\{:\w+,\s*["'~]""", files=("mix.exs",)),
        ),
    ),
    Domain(
        name="code-execution",
        meaning="running commands, evaluating text as code, loading objects from bytes, writing raw HTML",
        critical=True,
        content=(
            Search(r"(?:^|[^.\w])(?:eval|exec|compile)\(", files=PYTHON, unless=r"\bdef (?:eval|exec|compile)\("),
            r"\bos\.(?:system|popen|exec[lv]\w*|spawn\w+)\(|\bsubprocess\.(?:run|Popen|call|check_\w+|getoutput)\b",
            r"\bshell\s*=\s*True\b|\basyncio\.create_subprocess_\w+",
            r"\b(?:pickle|cPickle|dill|cloudpickle|marshal|shelve|joblib)\.(?:loads?|open|Unpickler)\b",
            Search(r"\byaml\.(?:load|unsafe_load|full_load)\(", files=PYTHON),
            r"\brender_template_string\(|\b__import__\(|\bimportlib\.import_module\(",
            Search(r"(?:^|[^.\w])eval\(|\bnew Function\(|\bvm\.run\w+\(|\bchild_process\b", files=SCRIPT),
            Search(r"\b(?:execSync|execFile|execFileSync|spawnSync|execa)\(|(?:^|[^.\w])spawn\(", files=SCRIPT),
            Search(
                r"\bdangerouslySetInnerHTML\b|\.(?:inner|outer)HTML\s*=|\bdocument\.write\(|\bv-html\b", files=SCRIPT
            ),
            r"\bexec\.Command(?:Context)?\(|\bsyscall\.Exec\(|\bplugin\.Open\(",
            r"\bRuntime\.getRuntime\(\)\.exec\b|\bnew ProcessBuilder\b|\bObjectInputStream\b|\bScriptEngine\w*",
            r"\bunserialize\(|\b(?:shell_exec|passthru|proc_open)\(|\bMarshal\.load\b|\bYAML\.(?:unsafe_)?load\(",
            r"\b(?:instance_eval|class_eval|module_eval)\b|\bBinaryFormatter\b|\bProcess\.Start\(|\bCommand::new\(",
            Search(r"^\s*unsafe\s*(?:\{|fn\b|impl\b)|=\s*unsafe\s*\{", files=("*.rs",)),
        ),
    ),
    Domain(
        name="concurrency",
        meaning="what happens at the same time: threads, tasks, locks, shared state",
        critical=False,
        paths=("**/concurrency/**", "*mutex*.*", "*semaphore*.*", "*threadpool*.*", "thread_pool*.*", "locking.*"),
        content=(
            r"\bthreading\.(?:Thread|Lock|RLock|Event|Condition|Semaphore|Barrier|Timer|local)\b",
            r"\basyncio\.(?:Lock|gather|create_task|Semaphore|Queue|TaskGroup|wait|wait_for|Event|Condition|run_coroutine_threadsafe)\b",
            r"\bmultiprocessing\.\w+|\b(?:ThreadPool|ProcessPool)Executor\b|\banyio\.\w+|\btrio\.(?:open_nursery|Lock|Semaphore|Event)\b",
            Search(
                r"^\s*go\s+(?:func\b|[\w.]+\()|\bmake\(chan\b|\bchan\s+\w|^\s*select\s*\{|\berrgroup\.", files=("*.go",)
            ),
            r"\bsync\.(?:Mutex|RWMutex|WaitGroup|Once|Map|Pool|Cond)\b",
            r"\batomic\.(?:Add|Load|Store|CompareAndSwap|Int|Bool|Value|Pointer)\w*",
            Search(r"\bsynchronized\b|\bvolatile\b|\bCoroutineScope\b|\brunBlocking\b", files=JVM),
            r"\b(?:ExecutorService|CompletableFuture|ReentrantLock|ReadWriteLock|CountDownLatch|ConcurrentHashMap)\b",
            r"\b(?:AtomicInteger|AtomicLong|AtomicBoolean|AtomicReference)\b",
            r"\b(?:tokio::(?:spawn|select|sync)|thread::spawn|mpsc::|Arc<(?:Mutex|RwLock)|std::(?:mutex|thread|atomic|async))\b",
            r"\b(?:pg_advisory_\w*lock|SELECT .{1,200} FOR UPDATE|select_for_update|[rR]edlock)\b",
            r"\b(?:SharedArrayBuffer|Atomics\.\w+)\b",
            r"\b(?:dispatch_(?:async|sync)|DispatchQueue|NSLock|pthread_\w+|SemaphoreSlim|Interlocked\.\w+|Task\.Run)\b",
        ),
    ),
    Domain(
        name="ai-prompts",
        meaning="what steers a model or an agent: prompts, tools, instructions for coding agents",
        critical=False,
        everywhere=True,
        paths=(
            *("CLAUDE.md", "AGENTS.md", "GEMINI.md", "SKILL.md", ".cursorrules", ".cursor/**", ".claude/**"),
            *(".windsurf/**", ".windsurfrules", ".clinerules", ".clinerules/**", ".github/copilot-instructions.md"),
            *(".github/instructions/**", ".github/prompts/**", ".mcp.json", "mcp.json", ".aider*", ".codex/**"),
            *(".gemini/**", ".roo/**", ".kiro/**", "**/prompts/**", "*.prompt", "*.prompt.md", "prompts.*"),
            *("system_prompt*.*",),
        ),
        content=(
            r"\b(?:system_prompt|SYSTEM_PROMPT|systemPrompt|system_instruction|systemInstruction)\b",
            r"\bchat\.completions\.create\(|\bmessages\.(?:create|stream)\(|\bresponses\.create\(|\bChatCompletion\b",
            r"\b(?:generateText|streamText|generateObject|streamObject)\(|\bgenerate_content\(",
        ),
    ),
    Domain(
        name="public-api",
        meaning="what others rely on: routes, schemas and messages that cross the border of this software",
        critical=False,
        paths=(
            *("openapi*.y*ml", "openapi*.json", "swagger*.y*ml", "swagger*.json", "asyncapi*.y*ml", "*.proto"),
            *("*.graphql", "*.gql", "*.graphqls", "*.avsc", "*.thrift", "*.wsdl", "*.smithy", "**/openapi/**"),
            *("urls.py", "routes.rb", "routes.php"),
        ),
        content=(
            r"^\s*@(?:\w+\.)?(?:app|router|blueprint|bp|api|\w+_bp|\w+_router)\.(?:get|post|put|patch|delete|route|websocket)\(",
            r"@(?:Get|Post|Put|Delete|Patch|Request)Mapping\b|@RestController\b|\[Http(?:Get|Post|Put|Delete|Patch)\b",
            r"""\b(?:app|router|server|fastify)\.(?:get|post|put|delete|patch|all)\(\s*["'`]/""",
            r"\.(?:HandleFunc|MethodFunc)\(|\bhttp\.Handle(?:Func)?\(",
            r"\b(?:APIView|ModelViewSet|GenericViewSet|GenericAPIView)\b",
        ),
    ),
)

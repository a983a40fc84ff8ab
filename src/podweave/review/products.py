# ruff: noqa: E501  (a table: one line a product, patterns uncut)
"""The software that is often met in Pods, and by which signs it is known.

A list can only ever know the past, so it is one witness among others: `roles` weighs it against
who talks to whom. The signs of structure (a port, a data directory, the name of a setting) stand
beside the image, because images are masked, mirrored and renamed.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final, Literal, NamedTuple

from podweave.review.facts import ContainerFacts, PodFacts

Kind = Literal[
    "store",  # keeps data: databases, queues, caches, search
    "web",  # a web server that may serve, or stand in front of something
    "proxy",  # always in front of something or on the way to something
    "fastcgi",  # an application server that only a web server can talk to
    "logs",  # ships or prints log files
    "sync",  # brings configuration or content, and reloads
    "gate",  # authenticates or encrypts what comes in
    "mesh",
    "secrets",
    "storage",  # the helpers of CSI drivers
    "guard",  # watches, elects, backs up
    "daemon",  # runs containers or builds for its neighbour
    "build",  # a builder or agent driven from outside
    "tunnel",
    "policy",
    "exporter",  # makes metrics
    "outbound",  # a proxy to something far away
    "tool",  # a general-purpose image: the command says what it is
    "app",  # a known application that isn't a store
]

HELPERS: Final[dict[Kind, Literal["sidecar", "ambassador", "adapter"]]] = {
    "logs": "sidecar", "sync": "sidecar", "gate": "sidecar", "mesh": "sidecar",
    "secrets": "sidecar", "storage": "sidecar", "guard": "sidecar", "build": "sidecar", "daemon": "sidecar",
    "tunnel": "sidecar", "policy": "sidecar", "exporter": "adapter", "outbound": "ambassador",
}  # fmt: skip
"""Kinds that are there for another container, and the pattern each follows."""


class Product(NamedTuple):
    name: str
    kind: Kind
    image: str
    """Pattern on the image's path, without registry, tag and digest."""
    binary: str = ""
    """Pattern on the name of the program that is started."""
    ports: tuple[int, ...] = ()
    env: str = ""
    """Pattern on names of environment variables that only the server itself reads."""
    mounts: str = ""
    """Pattern on mount paths."""
    probe: str = ""
    """Pattern on the commands of exec probes."""


_P: Final = Product

PRODUCTS: Final = (
    # stores
    _P("MySQL", "store", r"(^|/)(mysql|mariadb|percona(-server|-xtradb-cluster)?|mysql-server|mysql-\d+.*|mysql57|mariadb-galera)$",
       r"mysqld|mariadbd|mysqld_safe|mysqlctld", (3306, 33060), r"(MYSQL|MARIADB)_(ROOT_PASSWORD|ALLOW_EMPTY.*|RANDOM_ROOT.*)|MYSQL_ROOT_HOST", r"/var/lib/mysql\b|/bitnami/(mysql|mariadb)", r"mysqladmin|mariadb-admin|healthcheck\.sh"),
    _P("PostgreSQL", "store", r"(^|/)(postgres|postgresql|postgis|timescaledb(-ha)?|pgvector|spilo.*|crunchy-postgres.*|postgresql-repmgr|cloudnative-pg)$",
       r"postgres|postgresql|patroni", (5432,), r"POSTGRES(QL)?_(PASSWORD(_FILE)?|INITDB.*|POSTGRES_PASSWORD)|PGDATA", r"/var/lib/(postgresql|pgsql)|/bitnami/postgresql|/pgdata", r"pg_isready"),
    _P("MongoDB", "store", r"(^|/)(mongo|mongodb|mongodb-community-server|percona-server-mongodb)$",
       r"mongod|mongos", (27017,), r"MONGO_INITDB_.*|MONGODB_(ROOT|ADMIN)_.*", r"^/data/(db|configdb)|/bitnami/mongodb|/var/lib/mongo", r"mongo(sh)?\b"),
    _P("Redis", "store", r"(^|/)(redis|redis-stack(-server)?|valkey|keydb|dragonfly|redis-master|redis-slave|gb-redisslave)(-\w+)?$",
       r"redis-server|valkey-server|keydb-server|dragonfly", (6379,), r"REDIS_REPLICATION_MODE|ALLOW_EMPTY_PASSWORD", r"/redis-master-data|/bitnami/redis", r"redis-cli|valkey-cli"),
    _P("Memcached", "store", r"(^|/)memcached$", r"memcached", (11211,)),
    _P("RabbitMQ", "store", r"(^|/)rabbitmq(-\w+)?$", r"rabbitmq-server", (5672, 15672, 25672), r"RABBITMQ_(DEFAULT_.*|ERLANG_COOKIE|NODENAME|VHOST)", r"/var/lib/rabbitmq", r"rabbitmqctl|rabbitmq-diagnostics"),
    _P("Kafka", "store", r"(^|/)(kafka|cp-kafka|cp-server|confluent-kafka|redpanda)$", r"kafka-server-start(\.sh)?|rpk|redpanda", (9092,), r"KAFKA_(BROKER_ID|ADVERTISED_.*|ZOOKEEPER_CONNECT|LISTENERS|CFG_.*|NODE_ID)", r"/var/lib/kafka|/bitnami/kafka"),
    _P("ZooKeeper", "store", r"(^|/)(zookeeper|cp-zookeeper|kubernetes-zookeeper)$", r"zkserver(\.sh)?|start-zookeeper", (2181, 2888, 3888), r"ZOO_(MY_ID|SERVERS)|ZOOKEEPER_(CLIENT_PORT|SERVER_ID)", r"/var/lib/zookeeper"),
    _P("ActiveMQ", "store", r"(^|/)(activemq|artemis|activemq-artemis)([-.]\w+)?$", r"activemq|artemis", (61616,)),
    _P("NATS", "store", r"(^|/)(nats|nats-server|nats-streaming)$", r"nats-server|nats-streaming-server", (4222, 6222)),
    _P("Elasticsearch", "store", r"(^|/)(elasticsearch(-oss)?|opensearch)$", r"elasticsearch|opensearch", (9200, 9300), r"ES_JAVA_OPTS|OPENSEARCH_(JAVA_OPTS|INITIAL.*)|discovery\.(type|seed_hosts)", r"/usr/share/(elasticsearch|opensearch)/data"),
    _P("Solr", "store", r"(^|/)solr$", r"solr", (8983,), r"SOLR_HEAP", r"/var/solr"),
    _P("Cassandra", "store", r"(^|/)(cassandra|scylla|dse-server)$", r"cassandra|scylla", (9042, 7000), r"CASSANDRA_(SEEDS|CLUSTER_NAME|DC)", r"/var/lib/(cassandra|scylla)|/cassandra_data", r"nodetool|cqlsh"),
    _P("CouchDB", "store", r"(^|/)(couchdb|couchbase(-server)?|server-couchbase)$", r"couchdb", (5984, 8091), r"COUCHDB_(USER|PASSWORD)", r"/opt/couch(db|base)"),
    _P("etcd", "store", r"(^|/)etcd(-amd64)?$", r"etcd", (2379, 2380), r"ETCD_(DATA_DIR|LISTEN_.*|INITIAL_.*|ADVERTISE_.*)", r"/var/(lib/)?etcd|/etcd-data"),
    _P("Consul", "store", r"(^|/)consul$", r"", (8500, 8300), r"", r"/consul/data"),
    _P("InfluxDB", "store", r"(^|/)influxdb$", r"influxd", (8086,), r"INFLUXDB_(ADMIN|DB)|DOCKER_INFLUXDB_INIT.*", r"/var/lib/influxdb"),
    _P("Neo4j", "store", r"(^|/)neo4j$", r"neo4j", (7687, 7474), r"NEO4J_AUTH"),
    _P("MinIO", "store", r"(^|/)minio$", r"minio", (9001,), r"MINIO_(ROOT_USER|ROOT_PASSWORD|ACCESS_KEY|SECRET_KEY)"),
    _P("SQL Server", "store", r"(^|/)(mssql[\w/-]*server|server)(?<=mssql/server)$|mssql-server[\w-]*$", r"sqlservr", (1433,), r"MSSQL_(SA_PASSWORD|PID)|ACCEPT_EULA|SA_PASSWORD", r"/var/opt/mssql"),
    _P("Oracle Database", "store", r"(^|/)oracle[-/](xe|free|database.*)$|database/(enterprise|express|free)$", r"", (1521,), r"ORACLE_(PWD|PASSWORD|SID)", r"/opt/oracle/oradata"),
    _P("ClickHouse", "store", r"(^|/)clickhouse(-server)?$", r"clickhouse-server", (9000, 8123), r"CLICKHOUSE_(DB|USER|PASSWORD)", r"/var/lib/clickhouse"),
    _P("CockroachDB", "store", r"(^|/)cockroach$", r"cockroach", (26257,), r"", r"/cockroach/cockroach-data"),
    _P("LDAP directory", "store", r"(^|/)(openldap|osixia/openldap|slapd)$", r"slapd", (389, 636), r"LDAP_(ADMIN_PASSWORD|ORGANISATION)", r"/var/lib/ldap"),
    _P("RethinkDB", "store", r"(^|/)(rethinkdb|arangodb|orientdb|ravendb|firebird|db2|hazelcast|aerospike.*|tarantool|beanstalkd|pulsar|mosquitto|emqx|vernemq|weaviate|qdrant|milvus|chroma(db)?|typesense|meilisearch)$", r"rethinkdb|arangod|mosquitto|emqx|qdrant", (28015, 8529, 1883, 6333)),
    _P("Prometheus", "app", r"(^|/)(prometheus|victoria-metrics|alertmanager|grafana|grafana-oss|kibana|opensearch-dashboards|jaeger-query|all-in-one|loki|tempo|pushgateway|thanos-query|chronograf)$", r"prometheus|alertmanager|grafana-server|kibana|loki", ()),
    _P("an application", "app", r"(^|/)(wordpress|drupal|joomla|ghost|nextcloud|owncloud|gitea|gitlab-(ce|ee)|jenkins|nexus3|sonarqube|keycloak|odoo|redmine|mediawiki|moodle|magento|discourse|tomcat|jetty|wildfly|jboss[\w-]*|spring[\w-]*|phpmyadmin|adminer|pgadmin4?|mongo-express|rocket\.chat|airflow|superset|metabase|vault|registry|nodered|home-assistant|plex|sonarr|radarr|qbittorrent|transmission|deluge|sabnzbd|jellyfin|tensorflow-serving|minecraft[\w-]*|petclinic|httpbin|go-httpbin|echoserver|hello-app|podinfo|whoami)$"),
    # web servers, proxies, application servers
    _P("nginx", "web", r"(^|/)([\w-]+-)?(nginx|nginx-unprivileged|openresty|httpd|apache2?|caddy|lighttpd|httpd-\d+.*|nginx-\d+.*|nginx-slim|nginxinc/[\w-]*)$", r"nginx|httpd|apache2|caddy|httpd-foreground|lighttpd", (), mounts=r"^/etc/nginx(/(nginx\.conf|conf\.d(/.*)?|templates))?/?$"),
    _P("a proxy", "proxy", r"(^|/)(envoy|envoy-alpine|envoy-dev|envoy-distroless|haproxy|haproxy-alpine|traefik|varnish|ghostunnel|stunnel|socat|nginx-proxy|ssl-proxy|[\w-]*-ssl-proxy|tls-proxy|nginx-ssl-proxy|hitch|krakend|kong|tinyproxy|squid)$", r"envoy|haproxy|traefik|varnishd|ghostunnel|stunnel\d?|socat|squid"),
    _P("PHP-FPM", "fastcgi", r"(^|/)(php-fpm|php-fpm-\w+|phpfpm)$", r"php-fpm[\d.]*|uwsgi", (9000,)),
    # helpers
    _P("a log shipper", "logs", r"fluent-?bit|fluentd|filebeat|(^|/)vector$|promtail|logstash|splunk(forwarder|-fluentd|/universalforwarder)|universalforwarder|elastic-agent|logspout|sumologic|logdna|syslog-ng|rsyslog|log-?(shipper|router|collector|agent|forwarder|tailer|rotate|sidecar)|logrotate|grafana-agent|(^|/)alloy$|otel(emetry)?-?col(lector)?[\w-]*|opentelemetry-collector[\w-]*|aws-otel-collector|telegraf|jaeger-agent|cloudwatch-agent|statsd|fluentd-gcp|aws-for-fluent-bit|nxlog|beats/\w+|metricbeat|packetbeat|newrelic-\w+|datadog(hq)?[/-]agent|datadog-agent|(^|/)agent(?<=datadog/agent)|xray-daemon|aws-xray-daemon|dogstatsd", r"fluent-bit|fluentd|filebeat|vector|promtail|logstash|td-agent(-bit)?|rsyslogd|telegraf|otelcol[\w-]*|jaeger-agent|xray", (24224, 2020, 8125, 4317, 4318)),
    _P("a syncer", "sync", r"git-?sync|k8s-sidecar|config-?map-?reload|config-?reload|(^|/)reloader|prometheus-config-reloader|kiwigrid|confd|consul-template|config-?(watcher|sync|loader)|git-?(pull|poller|clone)|rsync|s3-?sync|rclone|lsyncd|(^|/)aws-cli$|gsutil|syncthing|dag-?sync|lego|certbot|cert-?(reload|watch|manager-sync)|watcher$|inotify|(^|/)git$", r"git-sync|configmap-reload|prometheus-config-reloader|confd|consul-template|rclone|certbot", ()),
    _P("an authenticating proxy", "gate", r"oauth2[-_]?proxy|kube-rbac-proxy|keycloak-(gatekeeper|proxy)|gogatekeeper|louketo|gatekeeper$|openshift[/-]oauth-proxy|(^|/|-)oauth-?proxy|pomerium|ext-authz|authz?-?proxy|auth-?sidecar|authelia|authservice|oidc[\w-]*|vouch-proxy|cosigner|modsecurity[\w-]*|(^|/)waf$|token-proxy|prom-label-proxy", r"oauth2[-_]proxy|kube-rbac-proxy|oauth-proxy|gatekeeper", (4180,)),
    _P("a service mesh proxy", "mesh", r"proxyv2|istio[/-]proxy|linkerd[\w/-]*proxy|(^|/)daprd|consul-dataplane|consul-k8s|envoy-sidecar|aws-appmesh-envoy|kuma-dp|osm-sidecar|istio-?proxy|dapr/dapr|queue-proxy|serving/cmd/queue|seldon-core-executor|seldon-container-engine|network-sidecar|sidecar-injector|connect-proxy", r"pilot-agent|daprd|linkerd2-proxy|kuma-dp|consul-dataplane", (15090, 15021, 15001)),
    _P("a secrets agent", "secrets", r"vault-?agent|vault-k8s|secrets-?(init|fetcher|sync)|conjur[\w-]*|berglas|spiffe-helper|aws-secrets-manager[\w-]*|kms-plugin", r"vault-agent", ()),
    _P("a CSI helper", "storage", r"csi-(provisioner|attacher|snapshotter|resizer|node-driver-registrar|external-[\w-]+|cluster-driver-registrar)|livenessprobe|liveness-probe|driver-registrar|snapshot-controller|external-(provisioner|attacher|snapshotter|resizer|health-monitor[\w-]*)|volume-modifier[\w-]*|(^|/)csi-addons|csi-liveness", r"csi-(provisioner|attacher|snapshotter|resizer|node-driver-registrar)|livenessprobe|csi-external-health-monitor-controller", ()),
    _P("a guard", "guard", r"leader-?elector|mongo-k8s-sidecar|(^|/)sentinel|redis-sentinel|xtrabackup|backup|velero|restic|kanister|wal-g|barman|pgbackrest|pg_?dump|mysqldump|peer-finder|failover|replica-?set|orchestrator|metrics-scraper|metrics-server-nanny|addon-resizer|kubedns-sidecar|k8s-dns-sidecar|dnsmasq|cluster-proportional|health-?(check|monitor)|(^|/)exechealthz|watchdog|nanny|autoheal|kubernetes-zfs|mysql-agent|manager-sidecar|operator-sidecar|zookeeper-exporter-sidecar|thanos", r"redis-sentinel|leader-elector|exechealthz|pod_nanny", (26379,), r"SENTINEL.*|MONGO_SIDECAR_.*|REDIS_SENTINEL.*"),
    _P("a build agent", "build", r"(^|/)(kaniko|jnlp-slave|inbound-agent|jnlp|gitlab-runner-helper|actions-runner|builder|agent-k8s|woodpecker-agent)$", r"", (), r"JENKINS_AGENT_.*|JENKINS_SECRET"),
    _P("a container daemon", "daemon", r"(^|/)(docker|dind|docker-dind|docker-in-docker|buildkit|buildkitd|podman|buildah)$|-dind$", r"dockerd|dockerd-entrypoint\.sh|buildkitd", (2375, 2376), r"DOCKER_TLS_CERTDIR"),
    _P("a tunnel", "tunnel", r"cloudflared|tailscale|wireguard|openvpn|gluetun|ngrok|(^|/)frpc?$|inlets|zerotier|konnectivity|teleport|chisel|autossh|sshd?-?tunnel", r"cloudflared|tailscaled?|openvpn|wg-quick|ngrok|autossh"),
    _P("a policy agent", "policy", r"(^|/)opa(-\w+)?$|kube-mgmt|falco|(^|/)cerbos|styra|permify|spicedb-sidecar|open-appsec|aqua-?\w*|twistlock|signal-sciences|sigsci-agent|fluent-policy", r"opa|sigsci-agent", (8181,)),
    _P("an exporter", "exporter", r"[-_]exporter(-\w+)?$|exporter$|^exporter|prometheus-to-sd|(^|/)jmx|jmx-exporter|nginx-?(vts|prometheus)|kafka-?exporter|metrics-?(adapter|exporter|proxy|bridge)|custom-metrics|stackdriver-adapter|log-?adapter|(^|/)adapter$|statsd-?exporter|redis_?exporter|mtail|grok_exporter|blackbox|jolokia|collectd|prom-?exporter", r"[\w-]+_exporter|[\w-]+-exporter|prometheus-to-sd|mtail|nginx-prometheus-exporter", (), r"DATA_SOURCE_(NAME|URI)|(PG|POSTGRES|MYSQLD?|REDIS|MONGODB|ES|KAFKA|NGINX)_EXPORTER_\w+"),
    _P("an outbound proxy", "outbound", r"cloud-?sql-?(proxy|auth-proxy)|gce-proxy|pgbouncer|pgpool[\w-]*|pgcat|odyssey|proxysql|maxscale|twemproxy|nutcracker|mcrouter|kubectl-proxy|kubeapi-proxy|(^|/)kubectl$|ambassador|alloydb-auth-proxy|mysql-router|dynamodb-proxy|aws-sigv4-proxy|egress[\w-]*|smtp-?relay|postfix[\w-]*|db-?proxy|redis-?proxy|predixy|k8s-?proxy|api-?proxy-?(ambassador)?$|apollo-?proxy|localproxy|mongos-?proxy|[\w-]*-ambassador$", r"cloud_sql_proxy|cloud-sql-proxy|pgbouncer|pgpool|proxysql|maxscale|nutcracker|mcrouter|kubectl|alloydb-auth-proxy", (6432,), r"PGBOUNCER_.*|PGPOOL_.*"),
    # general-purpose images
    _P("a general tool image", "tool", r"(^|/)(busybox|alpine|ubuntu|debian|centos|fedora|rockylinux|amazonlinux|bash|curl|curl-jq|alpine-curl|netshoot|toolbox|ubi\d?([-/]\w+)*|nicolaka/netshoot|network-multitool|dnsutils|jq|wget|bitnami-shell|minideb|opensuse|suse|archlinux|oraclelinux|mysql-client|redis-tools|tutum/curl)$", r"", ()),
)  # fmt: skip

Signs = tuple[tuple[re.Pattern[str], Product], ...]


@cache
def _signs(kind: Literal["image", "binary", "env", "mounts", "probe"]) -> Signs:
    """The compiled patterns of one kind of sign; when first needed, for compiling takes as long
    as everything else that a small review does."""
    frames = {
        "image": "{}",
        "binary": "(?:{})$",
        "env": "(?:{})$",
        "mounts": "{}",
        "probe": "(?:^|[\\s/\"'])(?:{})",
    }
    return tuple(
        (re.compile(frames[kind].replace("{}", pattern)), each)
        for each in PRODUCTS
        if (pattern := getattr(each, kind))
    )


_HTTP_NAME: Final = re.compile(r"web|http(?!s?-?es)|\bui\b|metrics|health|admin")
_PORTS: Final = {port: each for each in PRODUCTS for port in each.ports if port != 9000}

SHELLS: Final = frozenset({"sh", "bash", "ash", "dash", "zsh", "busybox", "env", "tini", "dumb-init", "exec", "/bin/sh"})  # fmt: skip


class Recognition(NamedTuple):
    """A product seen in a container, how surely, and by which sign."""

    product: Product
    weight: float
    sign: str
    by_image: bool


@lru_cache(8192)
def image_path(image: str) -> str:
    """An image without registry, tag and digest: `quay.io/brancz/x:v1@sha256:…` → `brancz/x`."""
    path = image.lower().split("@", 1)[0]
    head, _, last = path.rpartition("/")
    path = f"{head}/{last.split(':', 1)[0]}" if head else last.split(":", 1)[0]
    first, _, rest = path.partition("/")
    if rest and ("." in first or ":" in first or first == "localhost"):
        path = rest
    return path.removeprefix("library/")


@lru_cache(8192)
def by_image(image: str) -> Product | None:
    """The product of an image."""
    path = image_path(image)
    if not path:
        return None
    tag = image.rpartition(":")[2] if ":" in image.rpartition("/")[2] else ""
    if "fpm" in tag or "fpm" in path.rpartition("/")[2].split("-"):
        return next(each for each in PRODUCTS if each.kind == "fastcgi")
    if "dind" in tag or (path == "docker" and "dind" in image):
        return next(each for each in PRODUCTS if each.kind == "daemon")
    for kinds in (("exporter",), None):
        # `mysqld-exporter` is an exporter, whatever it exports.
        for pattern, product in _signs("image"):
            if (kinds is None or product.kind in kinds) and pattern.search(path):
                return product
    return None


def usual_port_of(container: ContainerFacts) -> int:
    """The port that known software listens on when nobody tells it anything; 0 for none."""
    product = by_image(container.image) if container.image else None
    if product is None or product.kind not in {"web", "store"}:
        return 0
    if product.kind == "store":
        return product.ports[0] if product.ports else 0
    configured = any("conf" in mount.path for mount in container.mounts)
    return 0 if configured else 80


def program(container: ContainerFacts) -> str:
    """The name of the program a container starts, looked for behind shells and wrappers."""
    return _program(tuple(container.argv[:12]), bool(container.command))


@lru_cache(8192)
def _program(argv: tuple[str, ...], command: bool) -> str:
    if not argv or (not command and argv[0].startswith("-")):
        return ""
    words = list(argv)
    if words[0].rpartition("/")[2] in SHELLS:
        script = next((word for word in words[1:] if not word.startswith("-")), "")
        # The last line that starts something is the one that stays.
        lines = [
            _LEAD.sub("", line.strip())
            for line in re.split(r"[\n;]|&&|\|\|", script)
            if line.strip()
        ]
        kept = [line for line in lines if not _SHELL_WORD.match(line)]
        words = kept[-1].split() if kept else []
        while words and (words[0] in SHELLS or "=" in words[0]):
            words = words[1:]
    return words[0].strip("\"'").rpartition("/")[2].lower() if words else ""


_LEAD: Final = re.compile(r"^((do|then|else|exec|nohup|sudo)\s+)+")
_SHELL_WORD: Final = re.compile(
    r"(if|then|else|elif|fi|for|while|until|do|done|case|esac|set|cd|echo|export|mkdir|chown|"
    r"chmod|cp|mv|rm|ln|sleep|trap|wait|date|exit|return|touch|source|\.|true|\[|#|:)(\s|$)"
)


def recognise(container: ContainerFacts, pod: PodFacts) -> list[Recognition]:
    """Every product a container shows signs of, the surest first."""
    del pod
    found: dict[str, list[Recognition]] = {}

    def see(product: Product, weight: float, sign: str, image: bool = False) -> None:
        found.setdefault(product.name, []).append(Recognition(product, weight, sign, image))

    if container.image and (product := by_image(container.image)):
        see(product, 1.0, f"image {image_path(container.image)}", True)
    elif (product := by_image(container.name)) and product.kind in HELPERS:
        see(product, 0.6, f"name {container.name}")
    started = program(container)
    if started:
        rest = container.script
        for pattern, product in _signs("binary"):
            if pattern.match(started) and _followed(product, rest):
                see(product, 0.9, f"starts {started}")
    client = any(_SERVER_ADDRESS.fullmatch(env.name) for env in container.env)
    for env in container.env:
        for pattern, product in _signs("env"):
            # Who is also told where the server is may share its password, and is its client.
            if pattern.match(env.name) and not (client and product.kind == "store"):
                see(product, 0.5, f"setting {env.name}")
    for mount in container.mounts:
        for pattern, product in _signs("mounts"):
            if pattern.search(mount.path):
                see(product, 0.4, f"data directory {mount.path}")
    for probe in container.probes:
        for pattern, product in _signs("probe"):
            if probe.command and pattern.search(probe.command):
                see(product, 0.6, f"{probe.kind} probe runs {probe.command.split()[0][:40]}")
                break
    told = {env.value for env in container.env if env.name in {"PORT", "SERVER_PORT", "HTTP_PORT"}}
    for port in container.ports:
        if (known := _PORTS.get(port.number)) and not _HTTP_NAME.search(port.name):
            if str(port.number) in told:
                continue  # it listens where it is told to: the number says nothing of what it is
            # Anybody may choose a helper's number; a database's is rarely chosen for anything else.
            see(known, 0.3 if known.kind in HELPERS else 0.5, f"port {port.number}")
    merged = []
    for signs in found.values():
        signs.sort(key=lambda each: -each.weight)
        # Signs of one kind repeat each other (three settings of one server): they add little.
        weight = signs[0].weight + sum(0.2 for _ in signs[1:4])
        text = ", ".join(dict.fromkeys(each.sign for each in signs[:4]))
        merged.append(Recognition(signs[0].product, weight, text, signs[0].by_image))
    merged.sort(key=lambda each: -each.weight)
    return merged


_SERVER_ADDRESS: Final = re.compile(
    r"(\w+_)?(PG|POSTGRES(QL)?|MYSQL|MARIADB|MONGO(DB)?|DB|DATABASE)_?(HOST|HOSTADDR|HOSTNAME)"
)


def _followed(product: Product, script: str) -> bool:
    """`kubectl` is an ambassador only as `kubectl proxy`."""
    if product.kind == "outbound" and "kubectl" in script:
        return "kubectl proxy" in script or " proxy" in script
    return True

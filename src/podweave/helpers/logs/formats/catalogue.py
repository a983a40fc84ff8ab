"""Which formats there are, and where. The order is the order of preference where several fit."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.logs.layouts import Format

_MODULES = {
    "nginx-json": "access_json",
    "traefik-json": "access_json",
    "caddy": "access_json",
    "envoy-json": "access_json",
    "journald-json": "journald",
    "journald-export": "journald",
    "json": "json_lines",
    "nginx-access": "nginx",
    "ingress-nginx": "nginx",
    "nginx-error": "nginx",
    "apache-access": "apache",
    "apache-error": "apache",
    "traefik-access": "traefik",
    "haproxy": "haproxy",
    "envoy-access": "envoy",
    "envoy": "envoy",
    "iis": "w3c",
    "aws-alb": "aws_load_balancers",
    "aws-elb": "aws_load_balancers",
    "aws-nlb": "aws_load_balancers",
    "aws-s3": "aws_storage",
    "aws-cloudfront": "aws_storage",
    "aws-vpc-flow": "aws_storage",
    "postgresql": "postgresql",
    "klog": "klog",
    "squid": "squid",
    "auditd": "audit",
    "firewall": "kernel",
    "kernel": "kernel",
    "sshd": "auth",
    "sudo": "auth",
    "cron": "auth",
    "pam": "auth",
    "systemd": "systemd",
    "postfix": "mail",
    "dovecot": "mail",
    "bind": "dns",
    "dnsmasq": "dns",
    "unbound": "dns",
    "dpkg": "packages",
    "apt-history": "packages",
    "dnf": "packages",
    "openstack": "openstack",
    "hdfs-audit": "hadoop",
    "yarn-audit": "hadoop",
    "hadoop": "hadoop",
    "spark": "hadoop",
    "syslog-rfc5424": "syslog",
    "syslog-rfc3164": "syslog",
    "log4j": "log4j",
    "python": "python",
    "logfmt": "logfmt",
    "timestamped": "timestamped",
}

NAMES = tuple(_MODULES)

# Names that people use for the same thing.
ALIASES = {
    "apt": "apt-history",
    "journalctl-export": "journald-export",
    "caddy-access": "caddy",
    "istio-json": "envoy-json",
    "journald": "journald-json",
    "journalctl-json": "journald-json",
    "squid-access": "squid",
    "audit": "auditd",
    "linux-audit": "auditd",
    "dmesg": "kernel",
    "kmsg": "kernel",
    "ufw": "firewall",
    "iptables": "firewall",
    "nftables": "firewall",
    "ssh": "sshd",
    "openssh": "sshd",
    "auth": "syslog-rfc3164",
    "named": "bind",
    "bind9": "bind",
    "dpkg-log": "dpkg",
    "yum": "dnf",
    "oslo": "openstack",
    "nova": "openstack",
    "hdfs": "hadoop",
    "yarn": "hadoop",
    "busybox-syslog": "syslog-rfc3164",
    "nginx-ingress": "ingress-nginx",
    "httpd": "apache-access",
    "apache-vhost": "apache-access",
    "traefik": "traefik-access",
    "istio": "envoy-access",
    "istio-proxy": "envoy-access",
    "w3c": "iis",
    "w3c-extended": "iis",
    "alb": "aws-alb",
    "elb": "aws-elb",
    "nlb": "aws-nlb",
    "s3-access": "aws-s3",
    "cloudfront": "aws-cloudfront",
    "vpc-flow": "aws-vpc-flow",
    "nginx": "nginx-access",
    "nginx-combined": "nginx-access",
    "apache": "apache-access",
    "apache-common": "apache-access",
    "apache-combined": "apache-access",
    "logback": "log4j",
    "spring-boot": "log4j",
    "python-logging": "python",
    "postgres": "postgresql",
    "syslog": "syslog-rfc3164",
    "rfc3164": "syslog-rfc3164",
    "rfc5424": "syslog-rfc5424",
}


def load(name: str) -> Format:
    """The format of that name; KeyError where there is none."""
    name = ALIASES.get(name, name)
    module = import_module(f"{__package__}.{_MODULES[name]}")
    format_: Format = module.FORMATS[name]
    return format_


def load_all() -> list[Format]:
    """Every format, in order of preference."""
    return [load(name) for name in NAMES]

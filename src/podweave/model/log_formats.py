"""The names of the log formats that podweave's adapter knows.

The adapter has them in its own catalogue, which a helper's program may not share with the rest;
a test holds the two equal.
"""

from __future__ import annotations

from typing import Final

LOG_FORMATS: Final = (
    "json",
    "nginx-access",
    "ingress-nginx",
    "nginx-error",
    "apache-access",
    "apache-error",
    "traefik-access",
    "haproxy",
    "envoy-access",
    "envoy",
    "iis",
    "aws-alb",
    "aws-elb",
    "aws-nlb",
    "aws-s3",
    "aws-cloudfront",
    "aws-vpc-flow",
    "postgresql",
    "klog",
    "syslog-rfc5424",
    "syslog-rfc3164",
    "log4j",
    "python",
    "logfmt",
    "timestamped",
)

LOG_FORMAT_ALIASES: Final = (
    "nginx-ingress",
    "httpd",
    "apache-vhost",
    "traefik",
    "istio",
    "istio-proxy",
    "w3c",
    "w3c-extended",
    "alb",
    "elb",
    "nlb",
    "s3-access",
    "cloudfront",
    "vpc-flow",
    "nginx",
    "nginx-combined",
    "apache",
    "apache-common",
    "apache-combined",
    "logback",
    "spring-boot",
    "python-logging",
    "postgres",
    "syslog",
    "rfc3164",
    "rfc5424",
)
"""Names people use for the same things."""

AUTO: Final = "auto"
"""Found from the lines themselves."""

"""Files in S3-compatible storage, named by one address (`STORAGE_URL`)."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SCHEMES = {"s3": "https", "s3+http": "http"}
# Larger files lie on disk while they are read, not in memory.
SPOOLED_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class ObjectStorage:
    """How Django reaches the store, and the origin from which browsers play."""

    backend: dict[str, Any]
    origin: str


def read_storage_url(url: str) -> ObjectStorage:
    """Read `s3://key:secret@host/bucket?region=cn-north-1&style=virtual`.

    `s3+http://` is for a store of the own network without TLS. `style=virtual` puts the bucket
    in front of the host, which some operators want; the default is the path. Raises
    ImproperlyConfigured for anything else, and where `requirements/s3.txt` is not installed.
    """
    parts = urlsplit(url)
    bucket = parts.path.strip("/")
    if parts.scheme not in SCHEMES or not parts.hostname or not bucket or "/" in bucket:
        raise ImproperlyConfigured(
            "STORAGE_URL is not of the form s3://key:secret@host/bucket?region=name"
        )
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    style = options.get("style", "path")
    if style not in ("path", "virtual"):
        raise ImproperlyConfigured("style of STORAGE_URL is path or virtual")
    host = parts.netloc.rpartition("@")[2]
    scheme = SCHEMES[parts.scheme]
    backend = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "access_key": unquote(parts.username or ""),
            "secret_key": unquote(parts.password or ""),
            "bucket_name": bucket,
            "endpoint_url": f"{scheme}://{host}",
            "region_name": options.get("region", "us-east-1"),
            "client_config": _client_config(style),
            # Two files of one name are two files, as on disk.
            "file_overwrite": False,
            "default_acl": None,
            "max_memory_size": SPOOLED_BYTES,
        },
    }
    origin = f"{bucket}.{host}" if style == "virtual" else host
    return ObjectStorage(backend, f"{scheme}://{origin}")


def _client_config(style: str) -> Any:
    try:
        # Half a second of imports that only this storage is worth.
        from botocore.config import Config  # noqa: PLC0415
    except ImportError as error:
        raise ImproperlyConfigured(
            "STORAGE_URL needs the packages of requirements/s3.txt"
        ) from error
    return Config(
        s3={"addressing_style": style},
        signature_version="s3v4",
        # Newer checksums are not understood by every compatible store.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )

"""Everything a user may set, from the environment (`HUB_<NAME>`), with its default.

Not here: what each part does with a setting. Code takes a `Settings` as an argument; only
entry points call `load()`.
"""

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import quote, urlsplit, urlunsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from hub.errors import SettingsError

Role = Literal["admin", "owner", "writer", "dbt", "reader", "analyst", "dagster"]

# The names of the roles in Postgres. `admin` makes roles and databases and does nothing else.
ROLE_NAMES: dict[str, str] = {
    "admin": "postgres",
    "owner": "hub_owner",
    "writer": "hub_writer",
    "dbt": "hub_dbt",
    "reader": "hub_reader",
    "analyst": "hub_analyst",
    "dagster": "hub_dagster",
}

# Each port's distance from `port_base`; a worker's port is `WORKER_PORT_OFFSET + index`.
PORT_OFFSETS = {
    "api_port": 0,
    "dagster_port": 1,
    "postgres_port": 2,
    "kafka_port": 3,
    "kafka_controller_port": 4,
    "dagster_code_port": 5,
    "deliveries_port": 7,
    "rules_port": 8,
}
WORKER_PORT_OFFSET = 10
WORKERS_MAX = 32
SAMPLE_PORT_OFFSET = 50
SECRET_KEY_BYTES = 32
LEDGERS = ("points",)
MIRROR_KINDS = ("pypi", "npm", "maven")


class Settings(BaseSettings):
    """The settings of one hub. Immutable; `model_copy(update=…)` makes a changed one."""

    model_config = SettingsConfigDict(env_prefix="HUB_", frozen=True, extra="ignore")

    data_dir: Path = Field(default=Path(".hub"), description="All data, logs and keys of this hub")
    cache_dir: Path = Field(
        default=Path("~/.cache/commerce-data-hub"),
        description="Downloaded parts; may be shared by several hubs",
    )
    port_base: int = Field(default=18000, ge=1024, le=65000, description="First port of this hub")
    api_port: int = Field(default=0, description="API and its pages; default port_base")
    dagster_port: int = Field(default=0, description="Dagster's pages; default port_base + 1")
    postgres_port: int = Field(default=0, description="Own Postgres; default port_base + 2")
    kafka_port: int = Field(default=0, description="Own Kafka; default port_base + 3")
    kafka_controller_port: int = Field(default=0, description="Controller; default port_base + 4")
    dagster_code_port: int = Field(default=0, description="Asset code; default port_base + 5")
    deliveries_port: int = Field(
        default=0, description="Health of the delivery worker; default port_base + 7"
    )
    rules_port: int = Field(
        default=0, description="Health of the rules worker; default port_base + 8"
    )
    postgres_url: str | None = Field(
        default=None,
        description="An existing Postgres; the role in it may make roles and databases",
    )
    postgres_database: str = Field(default="hub", description="The hub's database")
    dagster_database: str = Field(default="dagster", description="Dagster's own database")
    kafka_brokers: str | None = Field(
        default=None, description="An existing Kafka: host:port[,host:port]"
    )
    java: Path | None = Field(
        default=None, description="Another Java (17 or newer) for the own Kafka"
    )
    mirrors: str = Field(default="", description="Where to download: pypi=URL,npm=URL,maven=URL")
    business_zone: str = Field(default="Asia/Shanghai", description="Zone of business dates")
    platform_ledgers: str = Field(
        default="", description="Ledgers whose platform decides itself: channel:points[,…]"
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Root of all keys and passwords; by default made in data_dir once",
    )
    local_receivers: bool = Field(
        default=False,
        description="Call addresses of this machine and of private networks too",
    )
    rule_addresses: str = Field(
        default="", description="How addresses that sync rules may call begin: URL[,URL]"
    )
    workers: int = Field(default=2, ge=0, le=WORKERS_MAX, description="Stream workers")
    runs_kept_days: int = Field(
        default=30, ge=1, le=3650, description="For how long Dagster's runs are kept"
    )
    deliveries_kept_days: int = Field(
        default=30, ge=1, le=3650, description="For how long deliveries that ended are kept"
    )
    poll_records: int = Field(
        default=5000, ge=1, le=50_000, description="Events a worker polls at most"
    )
    write_records: int = Field(
        default=1000, ge=1, le=5000, description="Events in one transaction at most (about 50 ms)"
    )
    linger_ms: int = Field(default=6, ge=0, le=1000, description="Longest wait for a fuller batch")
    commit_interval_s: float = Field(
        default=0.5, gt=0, le=60, description="Between commits of offsets to Kafka"
    )

    @model_validator(mode="before")
    @classmethod
    def _ports_follow_the_base(cls, values: dict[str, Any]) -> dict[str, Any]:
        base = int(values.get("port_base") or cls.model_fields["port_base"].default)
        ports = {name: base + offset for name, offset in PORT_OFFSETS.items()}
        return ports | {name: value for name, value in values.items() if value not in ("", None)}

    @field_validator("data_dir", "cache_dir", mode="after")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @field_validator("business_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no time zone is called {name!r}") from error
        return name

    @field_validator("platform_ledgers")
    @classmethod
    def _known_ledgers(cls, text: str) -> str:
        for pair in filter(None, (pair.strip() for pair in text.split(","))):
            channel, _, ledger = pair.partition(":")
            if not channel or ledger not in LEDGERS:
                raise ValueError(f"{pair!r} is not of the form channel:ledger, of {LEDGERS}")
        return text

    @field_validator("mirrors")
    @classmethod
    def _known_mirrors(cls, text: str) -> str:
        _parse_mirrors(text)
        return text

    @property
    def rule_address_list(self) -> tuple[str, ...]:
        """How addresses that rules may call begin."""
        return tuple(filter(None, (one.strip() for one in self.rule_addresses.split(","))))

    @property
    def brokers(self) -> str:
        """Kafka's bootstrap servers, own or given."""
        return self.kafka_brokers or f"127.0.0.1:{self.kafka_port}"

    @property
    def zone(self) -> ZoneInfo:
        """The zone of business dates."""
        return ZoneInfo(self.business_zone)

    def is_mastered_by_platform(self, channel: str, ledger: str) -> bool:
        """Whether the channel's platform, and not the hub, decides about this ledger of it."""
        pairs = {pair.strip() for pair in self.platform_ledgers.split(",")}
        return f"{channel}:{ledger}" in pairs

    def worker_port(self, index: int) -> int:
        """Where stream worker `index` (from 0) serves its health and metrics."""
        return self.port_base + WORKER_PORT_OFFSET + index

    def sample_port(self, index: int) -> int:
        """Where sample channel `index` (from 0) listens, while `hub samples` runs."""
        return self.port_base + SAMPLE_PORT_OFFSET + index

    def mirror(self, kind: Literal["pypi", "npm", "maven"]) -> str | None:
        """The address to download packages of this kind from, if one is set."""
        return _parse_mirrors(self.mirrors).get(kind)

    def dsn(self, role: Role, database: str | None = None) -> str:
        """The URL by which `role` reaches its database (or another one).

        Of an own Postgres and of a given one alike: `hub up` makes the roles in either.
        """
        if role not in get_args(Role):
            raise SettingsError(f"no database role is called {role!r}", where="Settings.dsn")
        home = {"dagster": self.dagster_database, "admin": "postgres"}
        database = database or home.get(role, self.postgres_database)
        given = urlsplit(self.postgres_url or f"postgresql://127.0.0.1:{self.postgres_port}/")
        if role == "admin" and self.postgres_url:
            return urlunsplit(given._replace(path=f"/{database}"))
        account = f"{ROLE_NAMES[role]}:{quote(self.password(role), safe='')}"
        place = given.netloc.rpartition("@")[2]
        return urlunsplit(given._replace(netloc=f"{account}@{place}", path=f"/{database}"))

    def password(self, role: Role) -> str:
        """The role's password, derived from the secret key: nothing more to keep or share."""
        return self.derived_key(f"postgres role {role}").hex()

    def derived_key(self, purpose: str) -> bytes:
        """32 bytes for one purpose; different purposes tell nothing of each other."""
        return hmac.new(self.secret(), purpose.encode(), hashlib.sha256).digest()

    def secret(self) -> bytes:
        """The root key: the one given, else that in the data folder, made at first use."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        return _read_or_make_secret(self.data_dir / "secret.key")

    def environment(self) -> dict[str, str]:
        """The variables by which another process loads these same settings."""
        values = self.model_dump(mode="json", exclude_none=True, exclude={"secret_key"})
        variables = {f"HUB_{name.upper()}": str(value) for name, value in values.items()}
        if self.secret_key is not None:
            variables["HUB_SECRET_KEY"] = self.secret_key.get_secret_value()
        return variables


def load(**overrides: Any) -> Settings:
    """The settings from the environment; raises `SettingsError` with each bad value named."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        faults = "; ".join(
            f"HUB_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(faults, where="environment", mend="correct or unset it") from error


def _parse_mirrors(text: str) -> dict[str, str]:
    """`pypi=URL,npm=URL,maven=URL` as a dictionary; ValueError names what is wrong."""
    mirrors: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        kind, equals, url = part.partition("=")
        if kind not in MIRROR_KINDS or not equals or "://" not in url:
            raise ValueError(f"{part!r} is not of the form pypi=URL, npm=URL or maven=URL")
        mirrors[kind] = url.rstrip("/")
    return mirrors


def _read_or_make_secret(path: Path) -> bytes:
    """The key in `path`; made whole before it gets its name, so that two starters agree."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_bytes(base64.urlsafe_b64encode(secrets.token_bytes(SECRET_KEY_BYTES)))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first: its key counts
        finally:
            draft.unlink()
    return path.read_bytes().strip()

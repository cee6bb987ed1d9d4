"""Settings, read once from ``PREDELLA_*`` environment variables.

What ``predella up`` started on this machine is found through the file ``env`` in
``PREDELLA_HOME``; a variable in the environment wins over the file.
"""

import os
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, IPvAnyNetwork, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class Settings(BaseSettings):
    """Everything an operator may set."""

    model_config = SettingsConfigDict(
        env_prefix="PREDELLA_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )

    home: Path = Path(".predella")
    """Where `predella up` keeps its services' state; not used in production"""
    pg_bin: Path | None = None
    """Folder of the PostgreSQL programs that `predella up` runs; unset: the newest here"""

    database_url: SecretStr = SecretStr("postgresql+psycopg://predella@localhost:5432/predella")
    """Postgres, 15 or newer; its role needs no more rights than `predella migrate` gives it"""
    owner_database_url: SecretStr | None = None
    """Only for `predella migrate`: the role that owns the schema; unset: the one above"""
    broker_url: SecretStr = SecretStr("redis://localhost:6379/0")
    """Redis, 6.2 or newer, not in cluster mode"""

    s3_endpoint_url: str | None = None
    """Only for stores other than AWS"""
    s3_region: str = "us-east-1"
    """Region of the buckets"""
    s3_access_key_id: str | None = None
    """Unset: boto3's own search (instance role, profile) finds the credentials"""
    s3_secret_access_key: SecretStr | None = None
    """Goes with the access key id"""
    bucket: str = "predella"
    """Our own bucket: prepared images, uploaded manifests, exports"""
    source_buckets: frozenset[str] = frozenset()
    """Exact names of the buckets that collections may lie in, as a JSON list"""

    api_host: str = "127.0.0.1"
    """Address that the API listens on"""
    api_port: int = Field(default=8000, ge=1, le=65535)
    """Port that the API listens on"""
    public_url: str | None = None
    """Where people open the desk, as `https://predella.museum.example`; unset: host and port"""
    passwords: bool = True
    """Whether people may sign in with a password; links that work once always do"""
    proxy_addresses: frozenset[IPvAnyNetwork] = frozenset()
    """Networks of the proxies in front of the API, as a JSON list; unset: this machine alone"""
    proxy_header: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]+$")
    """In which such a proxy names the account of who has signed in with it, as `X-Remote-User`"""
    oidc_issuer: str | None = None
    """OpenID provider that people sign in with, letter by letter as it names itself"""
    oidc_client_id: str | None = None
    """What the provider knows predella as"""
    oidc_client_secret: SecretStr | None = None
    """Unset: predella is a public client, and PKCE alone protects its codes"""
    oidc_scopes: str = "openid profile"
    """What the provider is asked for"""
    oidc_name_claim: str = "preferred_username"
    """Claim that names a new account"""
    oidc_display_claim: str = "name"
    """Claim with the name under an approved text"""
    oidc_groups_claim: str = "groups"
    """Claim that lists somebody's groups"""
    oidc_roles: str | None = None
    """Which group gives which role: `curators=curator,heads of department=approver`"""
    oidc_label: str | None = None
    """Text on the button of the sign-in page"""
    rate_limit: str = Field(default="600/minute", pattern=r"^[1-9]\d*/(second|minute|hour|day)$")
    """How often one account may ask the API (beyond it 429), or one address `/oai` (503)"""
    oai_email: str | None = Field(default=None, pattern=r"^\S+@(\S+\.)+\S+$")
    """Whom the people of harvesters write to; opens `/oai`, and needs the public address"""
    webhook_key: SecretStr | None = Field(default=None, min_length=32)
    """What the secrets of webhooks are derived from: `openssl rand -hex 32`; unset: no webhooks"""
    webhook_private_networks: frozenset[IPv4Network | IPv6Network] = frozenset()
    """Networks that webhooks may lie in though they are not public, as a JSON list"""
    schemas: Path | None = None
    """Folder of official schemas for `predella export check`; unset: our own checks alone"""
    token: SecretStr | None = None
    """Whose name the command line acts under"""

    engine: Literal["auto", "reference", "trivial"] = "auto"
    """`reference` runs LLaVA as transformers does; `trivial` only measures pictures, for tests"""
    model_dir: Path | None = None
    """Checkpoint directory of the release that the model worker serves"""
    adapter_dir: Path | None = None
    """Directory of a LoRA adapter (PEFT) that is added to the checkpoint when it is loaded"""
    device: str = "auto"
    """`auto` is CUDA where there is one, else the CPU"""
    dtype: Literal["auto", "float16", "bfloat16", "float32"] = "auto"
    """`auto` is float32 on the CPU; on CUDA float16 for LLaVA, bfloat16 for other families"""
    slots: int | None = Field(default=None, ge=1, le=1024)
    """Pictures that LLaVA works on at once; unset: 16, or 192 on a GPU, if memory holds them"""
    kv_cache: Literal["auto", "fp8"] = "auto"
    """`fp8` halves what a slot takes on a GPU; first run `predella-model verify --kv-cache fp8`"""
    batch_size: int = Field(default=8, ge=1, le=512)
    """Pictures in one call of a model of another family, or of the reference engine"""
    max_new_tokens: int = Field(default=512, ge=1, le=4096)
    """A longer text is cut, and marked as cut"""

    max_image_pixels: int = Field(default=600_000_000, ge=1, le=2_000_000_000)
    """A larger picture is refused before it is decoded"""
    max_image_bytes: int = Field(default=2_000_000_000, ge=1)
    """A larger file is refused before it is read"""
    exact_prepare: bool = False
    """Prepare from all pixels, for comparisons: slower, other releases; alike for every worker"""

    lease_seconds: float = Field(default=90, gt=0)
    """How long a silent worker keeps its items; a heartbeat comes every third of it"""
    max_attempts: int = Field(default=4, ge=1)
    """How often an item that loses its worker is tried"""
    sweep_seconds: float = Field(default=15, gt=0)
    """How often the sweep looks for what fell silent"""

    log_format: Literal["json", "console"] = "json"
    """One JSON object a line, or lines for people"""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important level that is written"""

    @property
    def desk_url(self) -> str:
        """Where people open the desk, without a slash at the end."""
        return (self.public_url or f"http://{self.api_host}:{self.api_port}").rstrip("/")

    @model_validator(mode="after")
    def _proxy_is_known(self) -> Self:
        if self.proxy_header is not None and not self.proxy_addresses:
            raise ValueError(
                "PREDELLA_PROXY_HEADER lets a proxy say who somebody is: name the proxies in"
                ' PREDELLA_PROXY_ADDRESSES, as ["10.0.0.5/32"], or anybody could say it'
            )
        return self

    @model_validator(mode="after")
    def _harvesters_find_us(self) -> Self:
        if self.oai_email is not None and urlsplit(self.public_url or "").hostname is None:
            raise ValueError(
                "PREDELLA_OAI_EMAIL opens /oai, where records are named by PREDELLA_PUBLIC_URL:"
                " set it, as https://predella.museum.example"
            )
        return self

    @model_validator(mode="after")
    def _somebody_gets_in(self) -> Self:
        if not self.passwords and self.oidc_issuer is None and self.proxy_header is None:
            raise ValueError(
                "PREDELLA_PASSWORDS=no needs PREDELLA_OIDC_ISSUER or PREDELLA_PROXY_HEADER"
            )
        return self

    @model_validator(mode="after")
    def _provider_is_complete(self) -> Self:
        if self.oidc_issuer is None:
            return self
        if self.oidc_client_id is None or self.oidc_roles is None:
            raise ValueError(
                "PREDELLA_OIDC_ISSUER needs PREDELLA_OIDC_CLIENT_ID and PREDELLA_OIDC_ROLES"
            )
        issuer = urlsplit(self.oidc_issuer)
        if issuer.scheme != "https" and issuer.hostname not in _LOCAL_HOSTS:
            raise ValueError("PREDELLA_OIDC_ISSUER has to begin with https://")
        if "openid" not in self.oidc_scopes.split():
            raise ValueError("PREDELLA_OIDC_SCOPES has to hold openid")
        return self


@cache
def get_settings() -> Settings:
    """Return the process-wide settings."""
    home = Path(os.environ.get("PREDELLA_HOME") or ".predella")  # noqa: TID251  (the one place)
    return Settings(_env_file=home / "env")

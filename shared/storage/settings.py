"""Where the object store is and how long to wait for it."""

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _named(name: str) -> AliasChoices:
    """The field can be given by its own name in code, or by `S3_...` in the environment."""
    return AliasChoices(name, f"S3_{name.upper()}")


class S3Settings(BaseSettings):
    """One S3 endpoint. TLS by the endpoint's scheme. Seconds are short, so that an outage is noticed."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True, extra="ignore")

    endpoint: str = Field(default="http://127.0.0.1:17012", validation_alias=_named("endpoint"))
    access_key: str = Field(default="", validation_alias=_named("access_key"))
    secret_key: SecretStr = Field(default=SecretStr(""), validation_alias=_named("secret_key"))
    region: str = Field(default="us-east-1", validation_alias=_named("region"))
    bucket: str = Field(default="veracity", validation_alias=_named("bucket"))
    inbox_bucket: str = Field(default="inbox", validation_alias=_named("inbox_bucket"))
    connect_timeout_s: float = Field(default=2.0, validation_alias=_named("connect_timeout_s"))
    read_timeout_s: float = Field(default=10.0, validation_alias=_named("read_timeout_s"))
    copy_timeout_s: float = Field(default=120.0, validation_alias=_named("copy_timeout_s"))

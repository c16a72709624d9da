"""What an installation accepts, and what a decoder may use."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Limits(BaseSettings):
    """Read once from `VERACITY_LIMIT_*`, for example `VERACITY_LIMIT_MAX_DURATION_S=600`."""

    model_config = SettingsConfigDict(env_prefix="VERACITY_LIMIT_", frozen=True, extra="ignore")

    max_bytes: int = Field(default=2 * 1024**3, gt=0, description="size of a file: too_large")
    max_duration_s: float = Field(default=3600.0, gt=0, description="length of a clip: too_long")
    max_pixels: int = Field(default=8192 * 4320, gt=0, description="pixels of a frame: too_many_pixels")
    max_streams: int = Field(default=32, gt=0, description="streams in a file: too_many_streams")
    max_frames: int = Field(default=60_000, gt=0, description="frames decoded in one call: decoder_timeout")
    max_sample_rate: int = Field(default=768_000, gt=0, description="Hz; above it the sound is unusable")
    max_channels: int = Field(default=64, gt=0, description="above it the sound is unusable")
    probe_s: float = Field(default=30.0, gt=0, description="processor seconds of a probe (4 x on the wall)")
    decode_s: float = Field(default=120.0, gt=0, description="processor seconds of a segment, as above")
    memory_bytes: int = Field(default=3 * 1024**3, gt=0, description="address space of a decoder child")

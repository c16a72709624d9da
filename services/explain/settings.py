"""Explain's configuration."""

from pydantic import Field

from shared.inference.settings import InferenceSettings


class ExplainSettings(InferenceSettings):
    """As `InferenceSettings`. Gradients want float32 whatever the workers are pinned to."""

    dtype: str = Field(default="float32", validation_alias="VERACITY_EXPLAIN_DTYPE")
    saliency_windows: int = Field(default=3, ge=0, description="windows whose sound is drawn")

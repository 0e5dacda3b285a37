"""The frame that all kinds of the contract have in common."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import ComputedFieldInfo, FieldInfo

from pipeline.contract.fields import Name, ServiceName, Text


def _title(name: str, _: FieldInfo | ComputedFieldInfo) -> str:
    return name.strip("_").replace("_", " ")


class Part(BaseModel):
    """Base of everything in a contract file."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        field_title_generator=_title,
    )


class Metadata(Part):
    """What names and describes an object."""

    name: Name
    """Identity of the object within its kind. Never reused for something else."""
    display_name: Text | None = Field(default=None, alias="displayName")
    """Name for people."""
    description: str | None = None
    """A few sentences for people."""
    labels: dict[str, str] = {}
    """Short values to select by; Leadline gives them no meaning."""
    annotations: dict[str, str] = {}
    """Notes for other tools; Leadline gives them no meaning."""


class ServiceMetadata(Metadata):
    """What names and describes a service or a metric; its name may hold `_`, as other tools allow."""

    name: ServiceName
    """Identity of the object within its kind. Never reused for something else."""


class Object(Part):
    """Base of all kinds."""

    api_version: Literal["leadline/v1"] = Field(alias="apiVersion")
    """Version of this format: `leadline/v1`."""
    kind: str
    metadata: Metadata
    spec: Part

"""The configuration document, as the API shows it."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from app.schemas.examples import AT, example
from app.schemas.instants import OutInstant

_ETAG = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_FINDING: dict[str, Any] = {
    "severity": "error",
    "code": "unknown-key",
    "message": "there is no key `polcies`; did you mean `policies`?",
    "line": 3,
    "column": 1,
}


class ConfigDocument(BaseModel):
    """The document in force."""

    model_config = example({"revision": 3, "etag": _ETAG, "text": "version: 1\n"})

    revision: int
    etag: str = Field(description="Give it back, in quotes, as If-Match.")
    text: str = Field(description="The YAML document as it was written.")


class Finding(BaseModel):
    """Something to say about one place of the document."""

    severity: Literal["error", "warning"]
    code: str
    message: str
    line: int = Field(description="From 1.")
    column: int = Field(description="From 1.")


class CheckResult(BaseModel):
    """Everything there is to say about a document."""

    model_config = example({"valid": False, "findings": [_FINDING]})

    valid: bool
    findings: list[Finding]


class ConfigStored(BaseModel):
    """The revision that holds now (or would hold: `dry_run`)."""

    model_config = example({"revision": 4, "etag": _ETAG, "dry_run": False})

    revision: int
    etag: str
    dry_run: bool


class Revision(BaseModel):
    """One stored revision."""

    model_config = example({"number": 3, "etag": _ETAG, "author": "deploy", "note": None, "created_at": AT})

    number: int
    etag: str
    author: str
    note: str | None
    created_at: OutInstant

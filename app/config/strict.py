"""What every part of the document has in common."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A map of the document: unknown keys are errors, values never change once they are read."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

"""slawatch: ticket webhooks in, exact SLA clocks, signed breach callbacks out."""

from typing import Final

from app import compiled as _compiled

__version__ = "0.1.0"

COMPILED: Final = _compiled.use()
"""Whether the engine (`app.rules`) runs as machine code; else its sources run."""

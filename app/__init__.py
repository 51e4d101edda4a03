"""slawatch: ticket webhooks in, exact SLA clocks, signed breach callbacks out."""

__version__ = "0.1.0"

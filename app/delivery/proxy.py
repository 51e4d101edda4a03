"""The one way out through somebody else: an HTTP proxy, named in the document (`delivery.egress_proxy`), never taken from the environment.

With it the proxy looks names up and dials, so it is the proxy that has to keep requests out of internal networks. Ours still
refuses URLs that name such an address themselves.
"""

from dataclasses import dataclass, field
from typing import Self

from yarl import URL


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where it is, with our user and password there if it asks for them."""

    url: URL = field(repr=False)

    @classmethod
    def of(cls, text: str | None) -> Self | None:
        """The proxy at `http://[USER:PASSWORD@]HOST[:PORT]`; None for None."""
        return None if text is None else cls(URL(text))

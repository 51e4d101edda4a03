"""A connection on which the head of an answer counts, whatever comes after it.

aiohttp parses what has arrived in one go, so a junk body that arrives together with its head takes the head with it, and an
accepted message would look refused and be sent again. Here heads are handed to the parser by themselves.
"""

import functools
from collections.abc import Callable
from typing import Any

from aiohttp import TCPConnector
from aiohttp.client_proto import ResponseHandler

_END_OF_HEAD = b"\r\n\r\n"


class HeadFirst(ResponseHandler):
    """Feeds the parser piece by piece: up to the end of each head, then what follows it."""

    def data_received(self, data: bytes) -> None:
        more = True  # no bytes at all is a call too: the parser resumes
        while more and self.exception() is None:
            head, end, data = data.partition(_END_OF_HEAD)
            super().data_received(head + end)
            more = bool(data)


class Connector(TCPConnector):
    """A TCP connector whose connections are `HeadFirst`. `_factory` has no public setter; a test watches that it works."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        made: Callable[..., ResponseHandler] = HeadFirst
        self._factory = functools.partial(made, loop=self._loop)

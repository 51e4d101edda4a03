"""When the garbage collector looks: briefly, and between two pieces of work.

By itself it looks in the middle of a batch, at all that is being worked on, and the rarer it does the longer it takes: at 50,000 objects
everybody waits for 25 ms. A look every few milliseconds at the few thousand objects that have come and stayed takes one or two. Next to
nothing we make needs the collector (everything else goes as soon as nobody holds it), so longer looks are rare.
"""

import asyncio
import gc
from typing import Final

THRESHOLDS: Final = (50_000, 1_000, 1_000)
"""When it looks by itself (`gc.set_threshold`): only when very many objects have been made within one piece of work."""
EVERY: Final = 0.05
"""Seconds between two looks."""
YOUNG: Final = 4_000
"""Fewer new objects are not worth a look."""
LOOKS: Final = 200
"""After so many brief looks comes one at all that they have left alone: hardly a million objects."""
LONG_LOOKS: Final = 10
"""After so many of those comes one at everything but what was loaded to start."""


def begin() -> None:
    """From now on, for as long as the running event loop runs. What was loaded to start stays for good; it is not looked at any more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    _again(asyncio.get_running_loop())


def look() -> None:
    """Look as far as it is time to."""
    young, looks, long_looks = gc.get_count()
    if young > YOUNG:
        gc.collect(2 if long_looks > LONG_LOOKS else 1 if looks > LOOKS else 0)


def _again(loop: asyncio.AbstractEventLoop) -> None:
    look()
    loop.call_later(EVERY, _again, loop)

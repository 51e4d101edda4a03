"""Time-ordered ids with a readable prefix: `clk_01K9ZB3V6H2M4N8PQRSTVWXYZA`.

After the prefix come 26 characters of Crockford's base 32: 48 bits of milliseconds since 1970, then 80 random bits. Ids made in one
process are strictly increasing, so an id is also a stable tie-breaker for sorting by age. Ids from several processes
sort by millisecond only; nothing may rely on more.
"""

import os
import threading
import time
from typing import Final

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = [high + low for high in _CROCKFORD for low in _CROCKFORD]
"""Two characters for each ten bits: four times as quick as one for each five."""
_SHIFTS: Final = range(120, -1, -10)
_RANDOM_BITS: Final = 80

TICKET: Final = "tkt"
CLOCK: Final = "clk"
BREACH: Final = "brc"
ESCALATION: Final = "esc"
SIGNAL: Final = "sig"
INBOX: Final = "inb"
MESSAGE: Final = "msg"
DELIVERY: Final = "dlv"
KEY: Final = "key"
SILENCE: Final = "sil"

_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """A fresh id such as `tkt_...`; larger than every id this process has made before."""
    global _last
    with _lock:
        value = (time.time_ns() // 1_000_000) << _RANDOM_BITS | int.from_bytes(os.urandom(10))
        if value <= _last:
            value = _last + 1
        _last = value
    return f"{prefix}_{_encode(value)}"


def _encode(value: int) -> str:
    return "".join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])

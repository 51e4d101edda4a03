"""A disk that takes a millisecond more to write down what it was given: for every process started while inside, and what that starts."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PRELOAD: Final = "LD_PRELOAD"
_SOURCE: Final = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

static int slowly(const char *name, int file) {
    int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);
    usleep(1000);
    return real(file);
}

int fsync(int file) { return slowly("fsync", file); }
int fdatasync(int file) { return slowly("fdatasync", file); }
"""


def possible() -> bool:
    """Whether there is a C compiler: the delay is put between the process and the C library."""
    return shutil.which("cc") is not None


@contextmanager
def slow_disk() -> Iterator[None]:
    """`fsync` and `fdatasync` take a millisecond longer in every process that is started meanwhile."""
    with tempfile.TemporaryDirectory(prefix="slawatch-bench-") as folder:
        Path(folder).chmod(0o755)  # a database server of another user loads it, too
        library, source = Path(folder, "slow.so"), Path(folder, "slow.c")
        source.write_text(_SOURCE)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        os.environ[_PRELOAD] = str(library)
        try:
            yield
        finally:
            del os.environ[_PRELOAD]

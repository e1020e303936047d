"""Where things lie that can be made again: computed tables, features, fetched weights."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder for them: `XFELSPI_CACHE`, or the platform's user cache."""
    from platformdirs import user_cache_path

    return Path(os.environ.get("XFELSPI_CACHE") or user_cache_path("xfelspi"))

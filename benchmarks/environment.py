"""An environment for a peer that does not live with our dependencies: made once, kept in the user's cache."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from platformdirs import user_cache_path


def python_with(requirements: tuple[str, ...], newest: tuple[int, int]) -> Path:
    """Return a Python that has the requirements, of version `newest` at the most."""
    peer = requirements[0].replace("==", " ")
    key = hashlib.sha256(repr(requirements).encode()).hexdigest()[:8]
    folder = user_cache_path("xfelspi") / "peers" / f"{peer.replace(' ', '-')}-{key}"
    python, complete = folder / "bin" / "python", folder / "complete"
    if complete.exists():
        return python
    base = sys.executable if sys.version_info[:2] <= newest else shutil.which("python{}.{}".format(*newest))
    if base is None:
        sys.exit(
            f"{requirements[0]} needs Python {newest[0]}.{newest[1]} or older; there is none on the PATH."
        )
    print(f"making an environment for {peer} in {folder}, once", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([base, "-m", "venv", folder], check=True)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", *requirements], check=True
    )
    complete.touch()
    return python

"""What several commands do alike with names of files."""

import glob
from pathlib import Path


def beside(file: Path, suffix: str) -> Path:
    """Say where output goes by default: beside a file or folder; for a pattern, beside the folder it is in.

    Examples
    --------
    >>> [beside(Path(name), ".png").as_posix() for name in ("run.h5", "a/frames*/*.tif", "frame.png")]
    ['run.png', 'a.png', 'frame-sheet.png']
    """
    source = file
    while glob.has_magic(str(source)):
        source = source.parent
    if source.name in ("", ".."):
        source = source.resolve()
    target = source.with_name(source.name + suffix) if source.is_dir() else source.with_suffix(suffix)
    return source.with_name(f"{source.stem}-sheet{suffix}") if target == file else target

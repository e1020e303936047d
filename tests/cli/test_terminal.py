"""Bars on a terminal: what is at work is in sight, however much was done before."""

import os
import pty
import subprocess
import sys

MANY = """
from xfelspi.cli.terminal import Progress
with Progress() as progress:
    for number in range(40):
        progress(f"task {number}", 0.0)
        progress(f"task {number}", 1.0)
    progress.say("forty done")
    progress("at work", 0.3)
"""


def test_what_is_done_makes_room_for_what_is_at_work():
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    with subprocess.Popen([sys.executable, "-c", MANY], stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        try:
            while more := os.read(ours, 65536):
                shown += more
        except OSError:  # Linux tells so that nobody writes any more
            pass
        os.close(ours)
    assert process.returncode == 0
    before, after = shown.split(b"forty done")
    assert b"task 0 " in before
    assert b"task 39 " in before
    assert b"at work" in after
    assert b"task" not in after

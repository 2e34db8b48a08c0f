"""Replay a click log against the adjuster, search its settings, and say what to deploy."""

import sys

from experiments.common.interrupts import own_process

# Python calls a process so while it looks for the module that ``python -m`` names.
if sys.argv[:1] == ["-m"]:
    own_process()

"""Replay a click log against the adjuster, search its settings, and say what to deploy."""

import sys

from experiments.common.interrupts import own_process

# Python calls a process "-m" while it looks for the module that ``python -m`` names.
if sys.argv and (sys.argv[0] == "-m" or sys.argv[0].endswith("adjuster-tune")):
    own_process()

"""What all tests share."""

import torch
from hypothesis import settings

# Torch's threads fight over small tensors; the code under test has threads of its own.
torch.set_num_threads(1)

# The same examples in every run, however slow the machine.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

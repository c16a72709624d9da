"""The detector: encoders, fusion, bundles, policy.

OpenMP's threads wait for each other by spinning. Where several services share the cores, a spinning
thread keeps out the one that it waits for: measured on 2 busy cores, a window of the compact model
took 424 ms instead of 26. libgomp reads this once, when torch loads it.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

"""How Veracity runs: on a laptop (`local`) and in a cluster (`k8s`)."""

"""What the gateway costs next to nginx, on the same machine in the same run. See `docs/benchmarks.md`."""

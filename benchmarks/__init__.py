"""How fast the project is, beside its peers, on the same work: `make bench` measures and writes docs/benchmarks.md."""

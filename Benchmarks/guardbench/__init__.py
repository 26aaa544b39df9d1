"""The parts of Benchmarks/guard."""

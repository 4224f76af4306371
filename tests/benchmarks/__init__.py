"""What is measured and not tested: each module is a script, `python -m tests.benchmarks.<name>`."""

"""What a package costs on this machine, held against the limits that were declared when it was built.

Takes: a package, wherever it lies.
Gives: latency of one, ten and a thousand rows, throughput, memory and cold start, in a file beside the package.
Never: changes the package, or calls a limit kept that was not measured.
"""

from modelyard.packaging.bench.benchmark import Benchmark, bench_file, bench_package, read_benchmark
from modelyard.packaging.bench.limits import Limit, held_against

__all__ = ["Benchmark", "Limit", "bench_file", "bench_package", "held_against", "read_benchmark"]

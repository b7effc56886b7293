// No root pointers: the benchmark names its own roots. In a firmware this file is generated.

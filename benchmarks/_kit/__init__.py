"""What the benchmarks share: databases that are as durable as in production, processes, load, anchors."""

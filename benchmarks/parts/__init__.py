"""What benchmarks stand on: stores of any size, the textbook's way beside ours, a browser."""

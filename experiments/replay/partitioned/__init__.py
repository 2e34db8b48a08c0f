"""A replay of a log in partitions: what a worker does with one of them, and how it adds up."""

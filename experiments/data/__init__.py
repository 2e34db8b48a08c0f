"""Click logs: the data set on disk and in memory, and what makes one."""

"""The data set, on disk and in memory."""

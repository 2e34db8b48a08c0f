"""Where a live system keeps everything."""

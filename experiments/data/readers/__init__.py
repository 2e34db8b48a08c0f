"""Files to blocks of rows, in bounded memory."""

"""Files and folders that appear whole or not at all, checkpoints of long runs, packaged data."""

"""Images and samples from elsewhere: downloads, surveys, cut-outs by position."""

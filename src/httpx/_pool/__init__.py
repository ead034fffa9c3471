"""Which connection serves which request. This floor decides; it opens, closes and waits for nothing."""

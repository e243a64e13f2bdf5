"""Find out why two runs of one training script differ."""

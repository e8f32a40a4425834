"""Amazon's side: all that knows the Selling Partner API. It speaks ``model``."""

"""The Selling Partner API, translated from and to ``model``."""

"""The daemon: rounds on their schedules, and what people and machines may know of them."""

"""The outside world: where things are kept, what time it is, who the customers are."""

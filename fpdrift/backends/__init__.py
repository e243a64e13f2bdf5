"""A small adapter for each framework, for what Keras' public API does not offer."""

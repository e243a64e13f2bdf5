"""One small adapter for each framework: whatever Keras' public API does not reach."""

"""Training: recipes, token streams, the loop, and published checkpoints trained further."""

"""The HTTP surfaces: Flask and marshmallow live here and nowhere else."""

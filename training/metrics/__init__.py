"""What a detector is worth, in numbers with intervals. Pure NumPy; tested against simple references."""

def bowl(x, widths):
    """The height of a bowl at a place."""
    return (widths * x * x).sum()

"""The whole service as processes, with real traffic, and killed."""

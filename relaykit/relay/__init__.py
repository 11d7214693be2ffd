"""The running thing: what is assembled from a configuration, and what applications embed."""

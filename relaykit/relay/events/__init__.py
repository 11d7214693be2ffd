"""What sessions do, on its way to the store and to whoever watches."""

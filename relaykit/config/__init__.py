"""Configuration: TOML to records, every problem in one error."""

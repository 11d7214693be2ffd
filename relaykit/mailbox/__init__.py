"""The SQLite mailbox: operations that are plain functions of a transaction, and three doors to them."""

"""SQLite files that several processes share: opened in one way, written in transactions, with a doorbell beside them."""

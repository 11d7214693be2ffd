"""The SQLite session store: what every session did, numbered, in one file that gives its space back."""

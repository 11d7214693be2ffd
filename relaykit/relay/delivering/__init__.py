"""One worker over one open session: deliveries in, turns folded, verdicts carried out."""

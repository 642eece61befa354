"""The catalogue of rules, three-valued conditions and matching; generic over records, imports no door."""

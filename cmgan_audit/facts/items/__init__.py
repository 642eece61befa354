"""How the items of a loader come about, where a random draw picks a segment of them, and which of them are batches."""

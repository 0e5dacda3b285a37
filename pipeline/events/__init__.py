"""The vocabulary: envelope, event types, codec, identities, errors. Imports nothing of ours."""

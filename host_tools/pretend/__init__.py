"""A `machine` that pretends: pins and sensors for a bot that runs on this computer."""

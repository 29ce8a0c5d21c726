"""What calls functions beside requests: sample events as AWS sends them, messages with their batches, and schedules."""

"""What a provider plugin implements, and the vocabulary it speaks: deltas and the answer."""

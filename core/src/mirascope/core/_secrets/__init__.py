"""The credentials of a call: where they are, and text without them. It knows no other room."""

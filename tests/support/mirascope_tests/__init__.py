"""What the tests of all distributions share. It is not published."""

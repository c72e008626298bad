"""What is there, what is missing and what is out of date."""

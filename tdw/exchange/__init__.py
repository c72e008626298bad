"""What comes in from elsewhere: files of weights that other programs wrote."""

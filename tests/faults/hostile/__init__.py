"""Inputs that mean harm, and how they are made."""

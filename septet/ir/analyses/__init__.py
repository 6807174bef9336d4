"""What passes ask about a function: computed when asked for, never kept."""

"""What exists, by subject. How it is done lies beside this folder."""

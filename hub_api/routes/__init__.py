"""The API's addresses, a module for each noun: what comes in, what is read, what goes out."""

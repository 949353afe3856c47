"""When things run by themselves, and the job that runs them now."""

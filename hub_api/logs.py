"""How the API logs: one JSON object a line on standard error. What it logs: `hub_api.front`."""

import logging
import sys

import structlog


def configure() -> None:
    """Set up logging for a process that is the API and nothing else."""
    # Its lines hold whole addresses with their values; ours hold route templates.
    logging.getLogger("uvicorn.access").disabled = True
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )

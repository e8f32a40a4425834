"""The daemon: scheduled sync runs, their health, metrics, alerts and status page."""

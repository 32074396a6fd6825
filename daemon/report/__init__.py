"""What is told outside: notifications, metrics, status, the service manager."""

"""What is started when: the reconcile sensor, nightly schedules, planned runs, attempts."""

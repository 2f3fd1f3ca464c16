"""What `bench` measures: one file a measurement, and the few that start servers, make load and count."""

"""The operator's side: everything that starts, prepares and looks after Ostiary, and nothing a service needs to run."""

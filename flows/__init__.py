"""The flows, and all that touches a disk or a server: reading, staging, snapshots, the report, the command line."""

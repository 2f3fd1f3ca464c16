"""The files of a release: five wheels, the list of all parts (SBOM) and their hashes. For who makes or checks one."""

"""The engine of one Docker host, by the Docker SDK; image builds by the docker command with buildx."""

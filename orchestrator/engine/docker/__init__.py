"""One Docker host, through the Docker SDK, and BuildKit through the docker command."""

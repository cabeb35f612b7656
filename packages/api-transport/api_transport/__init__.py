"""HTTP for an API client: retries that know what they retry, one error tree, no secret in any text."""

"""A strict SQS of our own, and a layer of faults; both sit inside real boto3 clients, without a network."""

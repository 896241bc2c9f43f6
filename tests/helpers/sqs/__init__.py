"""A strict simulator of SQS, and a layer that injects faults; both work in real boto3 clients, without a network."""

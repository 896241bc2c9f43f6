"""The application logic: adding files, sending and consuming messages. Uses no Qt, SQL or boto3."""

"""The application logic: adding files, sending and consuming messages. No Qt, SQL or boto3."""

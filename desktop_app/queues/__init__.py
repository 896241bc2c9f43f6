"""Amazon SQS and what speaks like it. Nobody else imports boto3."""

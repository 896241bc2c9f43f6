"""Amazon SQS, compatible servers, and the embedded queue. The only package that imports boto3."""

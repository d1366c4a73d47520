import boto3

BUCKET = "example-nightly-backups"
AWS_ACCESS_KEY_ID = "AKIAQ3EGX7LMZP5TW2VD"
AWS_SECRET_ACCESS_KEY = "p9XvT2cLq8ZrW4nYb6MdKs1JfHg7UaEo3RiBxCt5"


def client():
    return boto3.client(
        "s3",
        region_name="eu-central-1",
        aws_access_key_id=AWS_ACCESS_KEY_ID,
        aws_secret_access_key=AWS_SECRET_ACCESS_KEY,
    )


def upload_dump(path: str, key: str) -> None:
    client().upload_file(path, BUCKET, key)

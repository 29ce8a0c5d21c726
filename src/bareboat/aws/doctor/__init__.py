"""What stands in the way on this machine and in an AWS account, and what the real AWS says where nobody recorded it."""

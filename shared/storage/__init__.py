"""The object store (S3 API). The only package that imports minio."""

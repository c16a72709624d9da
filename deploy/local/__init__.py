"""The local stack: Kafka, MinIO and the services as supervised processes, with no container engine."""

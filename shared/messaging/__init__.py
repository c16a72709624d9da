"""Kafka: consuming, producing, offsets and dead letters. The only package that imports confluent_kafka."""

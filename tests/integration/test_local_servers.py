import pytest

from deploy.local import kafka, minio
from deploy.local.kafka import KafkaServer
from deploy.local.minio import MinioServer
from deploy.local.ports import free_ports
from deploy.local.process import NotReady


@pytest.mark.kafka
def test_broker_answers_again_after_a_kill(tmp_path_factory: pytest.TempPathFactory) -> None:
    with KafkaServer(tmp_path_factory.mktemp("kafka"), *free_ports(2)) as server:
        first = server.pid
        server.kill()
        assert not kafka.answers(server.port)
        server.start()
        assert kafka.answers(server.port)
        assert server.pid != first


@pytest.mark.minio
def test_store_answers_again_after_a_kill(tmp_path_factory: pytest.TempPathFactory) -> None:
    with MinioServer(tmp_path_factory.mktemp("minio"), free_ports(1)[0]) as server:
        server.kill()
        assert not minio.answers(server.endpoint)
        server.start()
        assert minio.answers(server.endpoint)


@pytest.mark.kafka
def test_broker_that_cannot_start_says_why(kafka_server: KafkaServer,
                                           tmp_path_factory: pytest.TempPathFactory) -> None:
    taken = KafkaServer(tmp_path_factory.mktemp("taken"), free_ports(1)[0], kafka_server.port)
    with pytest.raises(NotReady, match="Address already in use"):
        taken.start()
    assert taken.pid is None

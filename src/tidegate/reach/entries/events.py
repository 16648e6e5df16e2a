"""Events: handlers of messages, topics, queues, sockets and signals, as the code declares them."""

from __future__ import annotations

from tidegate.reach.entries.chains import words
from tidegate.reach.entries.tables import JVM, PYTHON, SCRIPT, Row, finder

_GO = (".go",)
_SPRING = words("org.springframework")
_ROWS = (
    Row("event", "kafka", words("KafkaListener"), _SPRING, JVM, ("topics", "topicPattern", "value"), loose=True),
    Row("event", "rabbitmq", words("RabbitListener"), _SPRING, JVM, ("queues", "value"), loose=True),
    Row(
        "event",
        "sqs",
        words("SqsListener"),
        words("io.awspring org.springframework"),
        JVM,
        ("value", "queueNames", 0),
        loose=True,
    ),
    Row("event", "jms", words("JmsListener"), _SPRING, JVM, ("destination",), loose=True),
    Row("event", "spring", words("EventListener TransactionalEventListener"), _SPRING, JVM, loose=True),
    Row("event", "spring", words("MessageMapping SubscribeMapping"), _SPRING, JVM, ("value", 0)),
    Row("event", "micronaut", words("Topic"), words("io.micronaut"), JVM, ("value", 0)),
    Row("event", "microprofile", words("Incoming"), words("org.eclipse"), JVM, ("value", 0)),
    Row(
        "event", "nest", words("EventPattern MessagePattern"), words("@nestjs/microservices"), SCRIPT, (0,), loose=True
    ),
    Row("event", "nest", words("SubscribeMessage"), words("@nestjs/websockets"), SCRIPT, (0,), loose=True),
    Row("event", "nest", words("OnEvent"), words("@nestjs/event-emitter"), SCRIPT, (0,)),
    Row("event", "kafkajs", words("run"), words("kafkajs"), SCRIPT, (), ("eachMessage", "eachBatch", 0)),
    Row("event", "kafkajs", words("subscribe"), words("kafkajs"), SCRIPT, ("topic", 0), (1,)),
    Row("event", "amqplib", words("consume"), words("amqplib amqp-connection-manager"), SCRIPT, (0,), (1,)),
    Row("event", "redis", words("subscribe psubscribe pSubscribe"), words("redis ioredis"), SCRIPT, (0,), (1,)),
    Row("event", "socket.io", words("on"), words("socket.io"), SCRIPT, (0,), (1,)),
    Row("event", "sqs", words("create"), words("sqs-consumer"), SCRIPT, ("queueUrl",), ("handleMessage", 0)),
    Row("event", "django", words("receiver"), words("django"), PYTHON, (0,)),
    Row("event", "django", words("connect"), words("django"), PYTHON, (), ("receiver", 0)),
    Row(
        "event",
        "kafka",
        words("subscribe"),
        words("confluent_kafka kafka aiokafka"),
        PYTHON,
        (0, "topics"),
        ("listener", 9),
    ),
    Row(
        "event",
        "kafka",
        words("KafkaConsumer AIOKafkaConsumer"),
        words("kafka aiokafka"),
        PYTHON,
        (0,),
        ("listener", 9),
    ),
    Row("event", "faust", words("agent timer crontab"), words("faust"), PYTHON, (0,)),
    Row("event", "faststream", words("subscriber"), words("faststream"), PYTHON, (0, "queue")),
    Row("event", "rabbitmq", words("basic_consume"), words("pika"), PYTHON, ("queue", 0), ("on_message_callback", 1)),
    Row("event", "redis", words("subscribe psubscribe"), words("redis aioredis"), PYTHON, (0,), ("handler", 9)),
    Row("event", "socket.io", words("on event"), words("socketio flask_socketio"), PYTHON, (0,)),
    Row("event", "socket.io", words("on_event"), words("socketio flask_socketio"), PYTHON, (0,), (1,)),
    Row("event", "blinker", words("connect connect_via"), words("blinker"), PYTHON, (), (0,)),
    Row(
        "event",
        "sarama",
        words("Consume ConsumePartition"),
        words("github.com/IBM/sarama github.com/Shopify/sarama"),
        _GO,
        (1, 0),
        (2, 9),
    ),
    Row(
        "event", "kafka-go", words("NewReader"), words("github.com/segmentio/kafka-go"), _GO, ("Topic",), ("Handler", 9)
    ),
    Row("event", "nats", words("Subscribe QueueSubscribe"), words("github.com/nats-io/nats.go"), _GO, (0,), (-1,)),
    Row(
        "event",
        "rabbitmq",
        words("Consume"),
        words("github.com/streadway/amqp github.com/rabbitmq/amqp091-go"),
        _GO,
        (0,),
        ("handler", 9),
    ),
)
FINDERS = (finder("events", _ROWS),)

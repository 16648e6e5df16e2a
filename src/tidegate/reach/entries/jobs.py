"""Jobs: what runs by a clock or from a queue of tasks, as the code declares it."""

from __future__ import annotations

from tidegate.reach.entries.chains import words
from tidegate.reach.entries.tables import JVM, PYTHON, SCRIPT, Row, finder

_SPRING = words("org.springframework")
_ROWS = (
    Row("job", "celery", words("task shared_task periodic_task"), words("celery"), PYTHON, ("name",)),
    Row("job", "celery", words("add_periodic_task"), words("celery"), PYTHON, ("name",), (1,)),
    Row("job", "dramatiq", words("actor"), words("dramatiq"), PYTHON, ("actor_name",)),
    Row("job", "huey", words("task periodic_task db_task db_periodic_task"), words("huey"), PYTHON, ("name",)),
    Row("job", "rq", words("job"), words("rq django_rq flask_rq2"), PYTHON),
    Row("job", "rq", words("enqueue enqueue_at enqueue_in cron"), words("rq django_rq rq_scheduler"), PYTHON, (), (0,)),
    Row("job", "apscheduler", words("scheduled_job"), words("apscheduler flask_apscheduler"), PYTHON, ("id", "name")),
    Row(
        "job",
        "apscheduler",
        words("add_job"),
        words("apscheduler flask_apscheduler"),
        PYTHON,
        ("id", "name"),
        ("func", 0),
    ),
    Row("job", "airflow", words("task dag"), words("airflow"), PYTHON, ("task_id", "dag_id")),
    Row(
        "job",
        "airflow",
        words("PythonOperator BranchPythonOperator ShortCircuitOperator PythonVirtualenvOperator"),
        words("airflow"),
        PYTHON,
        ("task_id",),
        ("python_callable",),
    ),
    Row("job", "schedule", words("do"), words("schedule"), PYTHON, (), (0,)),
    Row("job", "procrastinate", words("task periodic"), words("procrastinate"), PYTHON, ("name",)),
    Row("job", "temporal", words("defn"), words("temporalio"), PYTHON, ("name",)),
    Row("job", "prefect", words("flow task"), words("prefect"), PYTHON, ("name",)),
    Row("job", "spring", words("Scheduled"), _SPRING, JVM, loose=True),
    Row("job", "micronaut", words("Scheduled"), words("io.micronaut"), JVM),
    Row("job", "quarkus", words("Scheduled"), words("io.quarkus"), JVM),
    Row("job", "nest", words("Cron Interval Timeout"), words("@nestjs/schedule"), SCRIPT, loose=False),
    Row("job", "nest", words("Process Processor"), words("@nestjs/bull @nestjs/bullmq"), SCRIPT, ("name", 0)),
    Row("job", "node-cron", words("schedule"), words("node-cron"), SCRIPT, (0,), (1,)),
    Row("job", "cron", words("CronJob Cron job"), words("cron croner"), SCRIPT, (0,), (-1,)),
    Row("job", "node-schedule", words("scheduleJob"), words("node-schedule"), SCRIPT, (0,), (-1,)),
    Row("job", "bullmq", words("Worker"), words("bullmq"), SCRIPT, (0,), (1,)),
    Row("job", "bull", words("process"), words("bull bee-queue"), SCRIPT, (0,), (-1,)),
    Row("job", "agenda", words("define"), words("agenda"), SCRIPT, (0,), (-1,)),
    Row(
        "job",
        "cron",
        words("AddFunc AddJob"),
        words("github.com/robfig/cron gopkg.in/robfig/cron"),
        (".go",),
        (0,),
        (1,),
    ),
    Row("job", "gocron", words("Do NewTask"), words("github.com/go-co-op/gocron"), (".go",), (), (0,)),
    Row("job", "asynq", words("HandleFunc Handle"), words("github.com/hibiken/asynq"), (".go",), (0,), (1,)),
)
FINDERS = (finder("jobs", _ROWS),)

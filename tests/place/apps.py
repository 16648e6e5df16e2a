"""Small applications as somebody writes them in an evening with an agent: each with what such programs get wrong."""

from __future__ import annotations

from collections.abc import Mapping

# Put together here, so that no file of this repository holds what looks like a key.
HARD_CODED = "sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dcQ2"

FLASK: Mapping[str, str] = {
    "app.py": f'''"""A shop."""
import os
import sqlite3
import subprocess

import requests
import stripe
from flask import Flask, request

app = Flask(__name__)
stripe.api_key = "{HARD_CODED}"
MAIL = os.environ["MAIL_TOKEN"]


@app.route("/users")
def users():
    name = request.args["name"]
    db = sqlite3.connect("shop.db")
    return str(db.execute(f"SELECT * FROM users WHERE name = '{{name}}'").fetchall())


@app.route("/ping")
def ping():
    return subprocess.check_output("ping -c 1 " + request.args["host"], shell=True)


@app.route("/relay")
def relay():
    requests.post("https://hooks.slack.com/services/x", json={{}}, timeout=5)
    return requests.get(request.args["url"]).text


db = sqlite3.connect("shop.db")
db.execute("CREATE TABLE IF NOT EXISTS users (id integer, name text, email text, card_number text)")
''',
    "requirements.txt": "flask\nrequests\nstripe\n",
}

EXPRESS: Mapping[str, str] = {
    "package.json": '{"name": "notes", "dependencies": {"express": "^4.19.0", "mongoose": "^8.0.0", "openai": "4"}}',
    "Dockerfile": "FROM node:22\nCOPY . .\nEXPOSE 3000\nCMD node server.js\n",
    "server.js": """const express = require('express');
const mongoose = require('mongoose');
const OpenAI = require('openai');
const { requireAuth } = require('./auth');

const app = express();
mongoose.connect(process.env.MONGO_URL);
const ai = new OpenAI({ apiKey: process.env.OPENAI_API_KEY });
const Note = mongoose.model('Note', new mongoose.Schema({
  email: { type: String },
  text: { type: String },
}));

app.get('/healthz', (req, res) => res.send('ok'));
app.get('/notes', requireAuth, async (req, res) => res.json(await Note.find({})));
app.post('/notes', async (req, res) => res.json(await Note.create(req.body)));
app.get('/run', (req, res) => res.send(String(eval(req.query.code))));
app.get('/go', async (req, res) => res.send(await (await fetch(req.query.url)).text()));
app.listen(process.env.PORT || 3000);
""",
    "auth.js": "exports.requireAuth = (req, res, next) => (req.headers.authorization ? next() : res.end());\n",
}

STREAMLIT: Mapping[str, str] = {
    "main.py": """import logging
import os

import pandas as pd
import psycopg
import streamlit as st

log = logging.getLogger(__name__)
connection = psycopg.connect(os.environ["DATABASE_URL"])
data = st.file_uploader("patients")
key = st.secrets["MODEL_KEY"]
if data is not None:
    frame = pd.read_csv(data)
    log.info("%s rows", len(frame))
    connection.execute("INSERT INTO rows VALUES (%s)", (frame.to_json(),))
""",
    "requirements.txt": "streamlit==1.50.0\npandas==2.3.0\npsycopg==3.2.0\n",
    "Dockerfile": "FROM python:3.13\nCOPY . .\nCMD streamlit run main.py --server.port 8501\n",
}

CAREFUL: Mapping[str, str] = {
    "app/main.py": """import logging
import os

import requests
from fastapi import Depends, FastAPI

log = logging.getLogger(__name__)
app = FastAPI()
KEY = os.environ["RATES_KEY"]


def current_user(token: str) -> str:
    return token


@app.get("/healthz")
def healthz():
    return {"well": True}


@app.get("/rates")
def rates(user: str = Depends(current_user)):
    log.info("asked")
    return requests.get("https://rates.example-bank.com/today", timeout=3).json()
""",
    "tests/test_main.py": """from fastapi.testclient import TestClient

from app.main import app


def test_rates():
    assert TestClient(app).get("/rates").status_code == 422


def test_healthz():
    assert TestClient(app).get("/healthz").json() == {"well": True}
""",
    "requirements.txt": "fastapi==0.120.0\nrequests==2.32.0\n",
    "Dockerfile": "FROM scratch\nEXPOSE 8000\n",
    "CODEOWNERS": "* @acme/rates\n",
    "tidegate.toml": '[place]\ndata = "none"\n',
}

"""`./ostiary serve mailbox`: takes mail in by SMTP and shows it, as a process of its own."""

import json
import signal
import smtplib
import subprocess
import sys
import urllib.request
from email.message import EmailMessage

from tests.system.test_serve import OUTSIDE, ready
from tests.system.test_up import free_port


def test_a_mail_that_is_sent_there_is_shown_there() -> None:
    page, smtp = free_port(), free_port()
    words = [sys.executable, "-P", "-m", "ostiary", "serve", "mailbox", "--port", str(page), "--smtp-port", str(smtp)]
    running = subprocess.Popen(words, env={**OUTSIDE, "OSTIARY_PUBLIC_URL": "https://login.example.org"})
    try:
        assert ready(f"http://127.0.0.1:{page}/")
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "door@example.test", "ada@example.test", "Hello"
        mail.set_content("https://login.example.org/x")
        with smtplib.SMTP("127.0.0.1", smtp) as server:
            server.send_message(mail)
        with urllib.request.urlopen(f"http://127.0.0.1:{page}/api/messages", timeout=10) as answer:
            assert [one["subject"] for one in json.load(answer)] == ["Hello"]
        with urllib.request.urlopen(f"http://127.0.0.1:{page}/", timeout=10) as answer:
            assert 'href="https://login.example.org/admin"' in answer.read().decode()
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0

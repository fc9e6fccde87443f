"""What is measured."""

CONNECTIONS = (1, 8, 64)
ECHO, OURS, FLASK, FASTAPI = "axum echo", "serve", "nginx, gunicorn, Flask", "uvicorn, FastAPI"
# Reviews in one request.
BATCH = 1000

FROM changeover/test-shop
COPY migrations migrations
COPY alembic.ini shop.py ./

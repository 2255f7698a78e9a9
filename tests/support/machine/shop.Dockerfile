FROM changeover/test-shop
COPY migrations migrations
COPY alembic.ini database.py shop.py ./

"""The books on disk: tables, migrations, and repositories that take and return model objects.

Nothing else in the package knows SQLAlchemy or Alembic.
"""

from pumpswap.storage.database import Database, open_database
from pumpswap.storage.run import Run
from pumpswap.storage.run_header import RunHeader

__all__ = ["Database", "Run", "RunHeader", "open_database"]

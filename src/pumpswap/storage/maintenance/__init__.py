"""Care of a database: backup, restore, revisions, checks, size. Everything here also works beside a running trader."""

from pumpswap.storage.maintenance.backup import Backup, write_backup
from pumpswap.storage.maintenance.examination import Finding, Status, check
from pumpswap.storage.maintenance.restoration import RestorePlan, plan_restore, restore
from pumpswap.storage.maintenance.revisions import DowngradePlan, downgrade, plan_downgrade, upgrade
from pumpswap.storage.maintenance.space import Sizes, vacuum

__all__ = [
    "Backup",
    "DowngradePlan",
    "Finding",
    "RestorePlan",
    "Sizes",
    "Status",
    "check",
    "downgrade",
    "plan_downgrade",
    "plan_restore",
    "restore",
    "upgrade",
    "vacuum",
    "write_backup",
]

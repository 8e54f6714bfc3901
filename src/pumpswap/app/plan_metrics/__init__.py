"""The plan's twelve metrics, M1 to M12, each with its evidence: from the books, from recorded checks, or said to be
missing.
"""

from __future__ import annotations

from pumpswap.app.plan_metrics.evidence import Evidence, evidence_folder
from pumpswap.app.plan_metrics.metric import PlanMetric, Standing
from pumpswap.app.plan_metrics.report import plan_metrics

__all__ = ["Evidence", "PlanMetric", "Standing", "evidence_folder", "plan_metrics"]

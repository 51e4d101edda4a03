"""Alive, ready, measured."""

from fastapi import APIRouter
from starlette.responses import Response

from app import __version__
from app.errors import Fault, Unavailable
from app.routers.deps import PartsDep
from app.routers.problems import problems
from app.schemas.health import Health, Readiness, ReadyCheck
from app.services import health
from app.telemetry import metrics

router = APIRouter(tags=["operations"])


@router.get("/healthz", operation_id="healthz")
async def healthz() -> Health:
    """The process answers. Touches nothing else."""
    return Health(status="ok", version=__version__)


@router.get("/readyz", operation_id="readyz", responses=problems(Unavailable))
async def readyz(parts: PartsDep) -> Readiness:
    """Whether this process should get traffic; 503 with the failed checks in `errors` when not."""
    detects = parts.settings.role != "api"
    since = parts.since_detection()
    found = await health.checks(parts.db, parts.settings.database_url, detects=detects, since_detection=since, auditor=parts.auditor)
    failed = [Fault(f"/checks/{check.name}", check.detail) for check in found if not check.ok]
    if failed:
        raise Unavailable("Not ready: " + ", ".join(check.name for check in found if not check.ok) + ".", errors=failed)
    return Readiness(status="ready", checks=[ReadyCheck(name=check.name, ok=check.ok, detail=check.detail) for check in found])


@router.get(
    "/metrics",
    operation_id="metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def prometheus() -> Response:
    """Prometheus metrics, without any name of a ticket or a customer."""
    return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)

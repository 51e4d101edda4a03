"""The shape of every answer that is not a success: RFC 9457 problem details, with our `code`, `request_id` and `errors`."""

from pydantic import BaseModel, Field

from app.schemas.examples import ULID, example


class ProblemFault(BaseModel):
    """One place of a bad input."""

    pointer: str = Field(
        description="JSON pointer (RFC 6901) into the body; `/query/NAME` or `/path/NAME` for parameters; empty: the whole."
    )
    detail: str = Field(description="What is wrong there.")


class Problem(BaseModel):
    """What went wrong, for programs (`code`) and for people (`detail`)."""

    model_config = example(
        {
            "type": "/problems/ticket-not-found",
            "title": "No ticket has this id",
            "status": 404,
            "detail": "No ticket has the id acme:4711.",
            "code": "ticket_not_found",
            "request_id": f"req_{ULID}",
            "errors": [],
        }
    )

    type: str = Field(description="Address of the page that explains this kind of problem.")
    title: str = Field(description="The kind of problem in a sentence; the same for every occurrence.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What went wrong this time.")
    code: str = Field(description="The kind of problem, for programs. New codes may be added.")
    request_id: str = Field(description="Names this request; the same as the header X-Request-Id and in our logs.")
    errors: list[ProblemFault] = Field(description="The places of the input that are wrong; may be empty.")

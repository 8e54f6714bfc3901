"""The dashboard: pages for people, a REST API for programs, both showing what ``app.views`` tells, live.

``create_app`` (``web.app``) makes the application; ``web.pages`` brings the pages. The seam between them:

- ``web.pages.routers(parts) -> list[APIRouter]`` is called once; ``parts`` are the ``WebParts``.
- ``web.pages.failure(parts, request, failure) -> Response`` shows an error to people (``web.failures.Failure``).
- ``web.pages.login(parts, request, message) -> Response`` shows the form that posts ``token`` and ``back`` to
  ``/login``.
- Actions of pages are forms that post to ``/actions/<name>`` with ``csrf`` (``parts.csrf``), ``confirm`` (the name
  again) and ``back`` (the path to return to; ``web.told.told_in(parts.access, request)`` is there what was answered);
  names are those of ``web.actions.ACTIONS``, and ``ack-alert`` with ``number``.
- ``/events`` is a stream of ``changed`` events, one for all viewers whenever something was stored. A GET with the
  header ``X-Live: 1`` is answered from one rendering that all viewers share until the next change: what a page shows
  must not depend on who asks.
- The policy of contents allows scripts and styles of ``/static`` only, none in the page.
"""

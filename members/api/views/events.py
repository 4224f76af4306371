"""The feed of events, for channels."""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from members.api.serializers import EventAnswer, EventQuery
from members.interfaces.api import checked, query
from members.models import Event

# Ids are taken before commit: a reader could pass by an event that a slower transaction is still writing. Longer than
# a batch takes; to be exact at any length, events would have to keep their transaction's id and be read in its order.
FEED_DELAY = timedelta(seconds=30)


class EventsView(ListAPIView):
    scope = "events"
    serializer_class = EventAnswer
    oldest_first = True

    @query(EventAnswer(many=True), reader=EventQuery, operation_id="events_list")
    def get(self, request: Request) -> Response:
        """What happened within the channel's reach, oldest first; go on from `cursor`. Half a minute behind."""
        return self.list(request)

    def get_queryset(self) -> QuerySet[Event]:
        wanted = checked(EventQuery, self.request.query_params)
        settled = Event.objects.visible_to(self.request.user).filter(posted_at__lte=timezone.now() - FEED_DELAY)
        return settled.filter(**wanted).select_related("member", "business", "store", "channel")

"""A beat as one would write it first: REST framework, session, ORM, two rows saved.

The yardstick for what the portal's own way saves. It credits like the portal's statement but
checks less.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from learning.models import ChapterProgress, PersonClock

MILLISECOND = timedelta(milliseconds=1)


class BeatSerializer(serializers.Serializer):
    session = serializers.CharField()
    sequence = serializers.IntegerField()
    position_ms = serializers.IntegerField()


class NaiveBeat(APIView):
    authentication_classes = [SessionAuthentication]
    permission_classes = [IsAuthenticated]

    @transaction.atomic
    def post(self, request: Request) -> Response:
        given = BeatSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        beat = given.validated_data
        now = timezone.now()
        clock = PersonClock.objects.select_for_update().get(
            person=request.user,
            session=beat["session"],
            sequence__lt=beat["sequence"],
        )
        progress = ChapterProgress.objects.select_for_update().get(
            enrolment=clock.enrolment, chapter=clock.chapter
        )
        elapsed_ms = (now - clock.last_beat_at) // MILLISECOND
        gained_ms = min(beat["position_ms"] - clock.last_position_ms, elapsed_ms)
        clock.sequence = beat["sequence"]
        clock.last_beat_at = now
        clock.last_position_ms = beat["position_ms"]
        clock.credited_ms += gained_ms
        clock.save()
        progress.position_ms = beat["position_ms"]
        progress.updated_at = now
        progress.save()
        return Response({"session": clock.session, "credited_ms": clock.credited_ms})

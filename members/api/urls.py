from django.urls import path

from members.api import views

urlpatterns = [
    path("members", views.MembersView.as_view(), name="members"),
    path("members/<slug:member_no>", views.MemberView.as_view(), name="member"),
    path("events", views.EventsView.as_view(), name="events"),
]

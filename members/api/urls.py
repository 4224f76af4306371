from django.urls import path

from members.api import views

urlpatterns = [
    path("members", views.MembersView.as_view(), name="members"),
    path("members/<slug:member_no>", views.MemberView.as_view(), name="member"),
    path("members/<slug:member_no>/attributes", views.AttributesView.as_view(), name="member_attributes"),
    path("events", views.EventsView.as_view(), name="events"),
]

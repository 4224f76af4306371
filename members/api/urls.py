from django.urls import path

from members.api import views

urlpatterns = [
    path("members", views.MembersView.as_view(), name="members"),
    path("members/<slug:member_no>", views.MemberView.as_view(), name="member"),
    path("members/<slug:member_no>/identities", views.IdentitiesView.as_view(), name="member_identities"),
    path("members/<slug:member_no>/identities/<int:pk>", views.IdentityView.as_view(), name="member_identity"),
    path("members/<slug:member_no>/consents", views.ConsentsView.as_view(), name="member_consents"),
    path("members/<slug:member_no>/consents/withdrawals", views.WithdrawalsView.as_view(), name="withdrawals"),
    path("members/<slug:member_no>/closures", views.ClosuresView.as_view(), name="member_closures"),
    path("members/<slug:member_no>/attributes", views.AttributesView.as_view(), name="member_attributes"),
    path("members/<slug:member_no>/merges", views.MergesView.as_view(), name="member_merges"),
    path("merges/<int:pk>/undo", views.MergeUndoView.as_view(), name="merge_undo"),
    path("events", views.EventsView.as_view(), name="events"),
]

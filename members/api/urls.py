from django.urls import path

from members.api import views
from members.api.views import cards

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
    path("tickets", views.TicketsView.as_view(), name="tickets"),
    path("tickets/<slug:number>", views.TicketView.as_view(), name="ticket"),
    path("tickets/<slug:number>/notes", views.TicketNotesView.as_view(), name="ticket_notes"),
    path("tickets/<slug:number>/ratings", views.TicketRatingsView.as_view(), name="ticket_ratings"),
    path("tickets/<slug:number>/closures", views.TicketClosuresView.as_view(), name="ticket_closures"),
    path("ticket-types", views.TicketTypesView.as_view(), name="ticket_types"),
    path("members/<slug:member_no>/cards", cards.MemberCardsView.as_view(), name="member_cards"),
    path("cards/<slug:number>", cards.CardView.as_view(), name="card"),
    path("cards/<slug:number>/activations", cards.ActivationsView.as_view(), name="card_activations"),
    path("cards/<slug:number>/losses", cards.LossesView.as_view(), name="card_losses"),
    path("cards/<slug:number>/recoveries", cards.RecoveriesView.as_view(), name="card_recoveries"),
    path("cards/<slug:number>/freezes", cards.FreezesView.as_view(), name="card_freezes"),
    path("cards/<slug:number>/unfreezes", cards.UnfreezesView.as_view(), name="card_unfreezes"),
    path("cards/<slug:number>/replacements", cards.ReplacementsView.as_view(), name="card_replacements"),
    path("cards/<slug:number>/renewals", cards.RenewalsView.as_view(), name="card_renewals"),
    path("cards/<slug:number>/closures", cards.ClosuresView.as_view(), name="card_closures"),
    path("events", views.EventsView.as_view(), name="events"),
]

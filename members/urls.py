"""Members' own pages, under /m/; points and coupons add theirs beside."""

from django.urls import path

from members import views

app_name = "member"

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-in/code/", views.sign_in_code, name="sign_in_code"),
    path("sign-in/resend/", views.resend_code, name="resend_code"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("join/", views.enrol, name="enrol"),
    path("terms/", views.terms, name="terms"),
    path("code/", views.code, name="code"),
    path("me/", views.me, name="me"),
    path("me/profile/", views.profile, name="profile"),
    path("me/contacts/", views.contacts, name="contacts"),
    path("me/contacts/code/", views.prove_contact, name="prove_contact"),
    path("me/contacts/<slug:kind>/", views.change_contact, name="change_contact"),
    path("me/contacts/<int:pk>/verify/", views.verify_contact, name="verify_contact"),
    path("me/contacts/<int:pk>/remove/", views.remove_contact, name="remove_contact"),
    path("me/consents/", views.my_consents, name="consents"),
    path("me/data/", views.my_data, name="my_data"),
    path("me/data/download/", views.download_my_data, name="download_my_data"),
    path("me/close/", views.leave, name="leave"),
    path("me/close/code/", views.leave_code, name="leave_code"),
    path("cards/", views.cards, name="cards"),
    path("cards/<int:pk>/", views.card, name="card"),
    path("cards/<int:pk>/<slug:verb>/", views.card_step, name="card_step"),
    path("me/dates/", views.dates, name="dates"),
    path("me/dates/<int:pk>/remove/", views.remove_date, name="remove_date"),
    path("me/about/", views.about_me, name="about_me"),
    path("tickets/", views.my_tickets, name="tickets"),
    path("tickets/new/", views.open_ticket, name="ticket_new"),
    path("tickets/<slug:number>/", views.ticket, name="ticket"),
    path("tickets/<slug:number>/answers/", views.answer_ticket, name="answer_ticket"),
    path("tickets/<slug:number>/rating/", views.rate_ticket, name="rate_ticket"),
]

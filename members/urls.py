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

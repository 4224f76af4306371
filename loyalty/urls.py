"""A member's own points, under /m/."""

from django.urls import path

from loyalty import views

app_name = "points"

urlpatterns = [
    path("points/", views.history, name="history"),
    path("points/cards/", views.cards, name="cards"),
    path("points/cards/<int:pk>/", views.card, name="card"),
]

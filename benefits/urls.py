"""A member's own coupons, under /m/."""

from django.urls import path

from benefits import views

app_name = "coupons"

urlpatterns = [
    path("coupons/", views.coupons, name="list"),
    path("coupons/<str:code>/", views.coupon, name="detail"),
]

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
    path("me/dates/", views.dates, name="dates"),
    path("me/dates/<int:pk>/remove/", views.remove_date, name="remove_date"),
    path("me/about/", views.about_me, name="about_me"),
]

from django.urls import path

from loyalty.api import views

urlpatterns = [
    path("points/earns", views.EarnsView.as_view(), name="earns"),
    path("points/burns", views.BurnsView.as_view(), name="burns"),
    path("points/expirations", views.ExpirationsView.as_view(), name="expirations"),
    path("transactions/<int:pk>/reversals", views.ReversalsView.as_view(), name="reversals"),
    path("holds", views.HoldsView.as_view(), name="holds"),
    path("holds/<int:pk>", views.HoldView.as_view(), name="hold"),
    path("holds/<int:pk>/capture", views.CaptureView.as_view(), name="capture"),
    path("holds/<int:pk>/release", views.ReleaseView.as_view(), name="release"),
    path("members/<slug:member_no>/assets", views.AssetsView.as_view(), name="assets"),
    path("members/<slug:member_no>/transactions", views.MemberTransactionsView.as_view(), name="transactions"),
    path("members/<slug:member_no>/lots", views.MemberLotsView.as_view(), name="lots"),
    path("members/<slug:member_no>/purchases", views.MemberPurchasesView.as_view(), name="member_purchases"),
]

from django.urls import path

from benefits.api import views

urlpatterns = [
    path("checkout/quotes", views.QuotesView.as_view(), name="quotes"),
    path("purchases", views.PurchasesView.as_view(), name="purchases"),
    path("purchases/batch", views.PurchaseBatchView.as_view(), name="purchase_batch"),
    path("purchases/<int:pk>", views.PurchaseView.as_view(), name="purchase"),
    path("purchases/<int:pk>/refunds", views.RefundsView.as_view(), name="refunds"),
    path("coupons", views.CouponsView.as_view(), name="coupons"),
    path("coupons/<slug:code>", views.CouponView.as_view(), name="coupon"),
    path("coupons/<slug:code>/redemptions", views.RedemptionsView.as_view(), name="redemptions"),
    path("members/<slug:member_no>/coupons", views.MemberCouponsView.as_view(), name="member_coupons"),
    path("members/<slug:member_no>/tier", views.TierView.as_view(), name="tier"),
]

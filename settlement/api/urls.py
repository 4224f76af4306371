from django.urls import path

from settlement.api import views

urlpatterns = [
    path("settlement/periods", views.PeriodsView.as_view(), name="periods"),
    path("settlement/periods/<slug:name>/cut", views.CutView.as_view(), name="cut"),
    path("settlement/periods/<slug:name>/lock", views.LockView.as_view(), name="lock"),
    path("settlement/statements", views.StatementsView.as_view(), name="statements"),
    path("settlement/statements/<int:pk>", views.StatementView.as_view(), name="statement"),
    path("settlement/statements/<int:pk>/lines", views.LinesView.as_view(), name="statement_lines"),
    path("settlement/lines/<int:pk>/entries", views.EntriesView.as_view(), name="line_entries"),
]

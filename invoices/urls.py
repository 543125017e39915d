from django.urls import path

from invoices import views

app_name = "invoices"
urlpatterns = [
    path("invoices/", views.invoice_list, name="list"),
    path("invoices/request/<slug:order>/", views.invoice_request, name="request"),
    path("invoices/<slug:number>/", views.detail, name="detail"),
    path("invoices/<slug:number>/file/", views.file, name="file"),
    path("invoices/<slug:number>/xml/", views.xml, name="xml"),
]
